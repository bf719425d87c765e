//! The guest's heap: an arena that moves forward and is thrown away with its instance.
//!
//! A decision allocates a few kilobytes and ends; a general allocator would spend more on its books
//! than on the decision, and its first allocation would ask for memory. This one starts in a static
//! reserve, goes on in what the linker leaves of the last page, and grows memory only beyond that.
//! Only the latest allocation is taken back at once, which is what a growing `Vec` or `String` needs;
//! the rest is taken back together, when nothing is left of a call. So an instance that is used again
//! and again stays as small as one that decides once.

#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

/// The books of the heap. Addresses only: nothing here touches memory.
#[derive(Clone, Copy)]
struct Arena {
    free: Region,
    /// What was free when the module had been configured: all that a call takes lies behind it.
    floor: Region,
    /// Allocations behind the floor that nobody gave back yet.
    live: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Region {
    next: usize,
    end: usize,
    /// Whether it lies behind the static data, where memory grows, or is the reserve.
    grows: bool,
}

/// Where an allocation goes, or how much memory is missing for it.
#[derive(Debug, PartialEq)]
enum Place {
    At(usize),
    Missing(usize),
}

impl Arena {
    const UNSET: Self = Self {
        free: Region::UNSET,
        floor: Region::UNSET,
        live: 0,
    };

    /// `None` where no address space can hold it.
    fn place(&mut self, size: usize, align: usize) -> Option<Place> {
        let start = self.free.next.checked_next_multiple_of(align)?;
        let stop = start.checked_add(size)?;
        if stop > self.free.end {
            return Some(Place::Missing(stop - self.free.end));
        }
        self.free.next = stop;
        self.live += 1;
        Some(Place::At(start))
    }

    /// Resizes in place, where nothing was allocated since and there is room.
    fn resize_latest(&mut self, start: usize, old_size: usize, size: usize) -> bool {
        match start.checked_add(size) {
            Some(stop) if start + old_size == self.free.next && stop <= self.free.end => {
                self.free.next = stop;
                true
            }
            _ => false,
        }
    }

    fn take_back(&mut self, start: usize, size: usize) {
        if start < self.floor.next {
            return;
        }
        self.live -= 1;
        if self.live == 0 {
            self.free = self.floor;
        } else if start + size == self.free.next {
            self.free.next = start;
        }
    }

    /// Keeps for good what is allocated now.
    fn keep(&mut self) {
        self.floor = self.free;
        self.live = 0;
    }
}

impl Region {
    const UNSET: Self = Self {
        next: 0,
        end: 0,
        grows: false,
    };
}

/// Keeps for good what is allocated now: the configured policy.
pub(crate) fn keep() {
    #[cfg(target_arch = "wasm32")]
    guest::keep();
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code)]
mod guest {
    use std::alloc::{GlobalAlloc, Layout};
    use std::arch::wasm32::{memory_grow, memory_size};
    use std::cell::{Cell, UnsafeCell};
    use std::mem::MaybeUninit;
    use std::ptr::{null_mut, with_exposed_provenance_mut};

    use super::{Arena, Place, Region};

    #[cfg(target_feature = "atomics")]
    compile_error!("the arena is for modules of one thread");

    const PAGE: usize = 65_536;

    /// Several times what a decision allocates; with a stack of 16 KiB it leaves as much again for the
    /// static data of a module that starts in one page, and a page is what the host resets each time.
    const RESERVE: usize = 24 * 1_024;

    #[global_allocator]
    static HEAP: Heap = Heap {
        arena: Cell::new(Arena::UNSET),
        reserve: UnsafeCell::new([const { MaybeUninit::zeroed() }; RESERVE]),
    };

    struct Heap {
        arena: Cell<Arena>,
        reserve: UnsafeCell<[MaybeUninit<u8>; RESERVE]>,
    }

    // SAFETY: a module without the atomics feature, which is refused above, has one thread.
    unsafe impl Sync for Heap {}

    unsafe extern "C" {
        /// The linker's symbol for the first byte behind stack and static data.
        static __heap_base: u8;
    }

    pub(super) fn keep() {
        let mut arena = HEAP.arena.get();
        arena.keep();
        HEAP.arena.set(arena);
    }

    impl Heap {
        fn place(&self, size: usize, align: usize) -> *mut u8 {
            let mut arena = self.arena.get();
            if arena.free == Region::UNSET {
                let next = self.reserve.get().expose_provenance();
                arena.free = Region {
                    next,
                    end: next + RESERVE,
                    grows: false,
                };
            }
            loop {
                match arena.place(size, align) {
                    Some(Place::At(start)) => {
                        self.arena.set(arena);
                        return with_exposed_provenance_mut(start);
                    }
                    Some(Place::Missing(_)) if !arena.free.grows => {
                        arena.free = Region {
                            next: (&raw const __heap_base).expose_provenance(),
                            end: memory_size(0) * PAGE,
                            grows: true,
                        };
                    }
                    Some(Place::Missing(bytes)) => {
                        let pages = bytes.div_ceil(PAGE);
                        if memory_grow(0, pages) == usize::MAX {
                            return null_mut();
                        }
                        arena.free.end += pages * PAGE;
                    }
                    None => return null_mut(),
                }
            }
        }
    }

    // SAFETY: `place` hands out disjoint, aligned ranges of the reserve or between `__heap_base` and the
    // end of memory, which nothing else uses; a range is handed out again only once its owner, or every
    // owner behind the floor, has given it up.
    unsafe impl GlobalAlloc for Heap {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.place(layout.size(), layout.align())
        }

        unsafe fn dealloc(&self, allocated: *mut u8, layout: Layout) {
            let mut arena = self.arena.get();
            arena.take_back(allocated.addr(), layout.size());
            self.arena.set(arena);
        }

        unsafe fn realloc(&self, allocated: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            let mut arena = self.arena.get();
            if arena.resize_latest(allocated.addr(), layout.size(), size) {
                self.arena.set(arena);
                return allocated;
            }
            if size <= layout.size() {
                return allocated;
            }
            let moved = self.place(size, layout.align());
            if !moved.is_null() {
                // SAFETY: both ranges hold at least `layout.size()` bytes, and `place` made them disjoint.
                unsafe { moved.copy_from_nonoverlapping(allocated, layout.size()) };
                // SAFETY: the caller gives `allocated` up with this call.
                unsafe { self.dealloc(allocated, layout) };
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena(next: usize, end: usize) -> Arena {
        let free = Region {
            next,
            end,
            grows: false,
        };
        Arena {
            free,
            floor: free,
            live: 0,
        }
    }

    #[test]
    fn allocations_are_aligned_and_do_not_overlap() {
        let mut arena = arena(1_001, 2_000);
        assert_eq!(arena.place(3, 1), Some(Place::At(1_001)));
        assert_eq!(arena.place(8, 8), Some(Place::At(1_008)));
        assert_eq!(arena.place(1, 1), Some(Place::At(1_016)));
    }

    #[test]
    fn while_others_live_only_the_latest_allocation_is_taken_back() {
        let mut arena = arena(1_000, 2_000);
        for _ in 0..3 {
            arena.place(10, 1);
        }
        arena.take_back(1_000, 10);
        assert_eq!(arena.free.next, 1_030);
        arena.take_back(1_020, 10);
        assert_eq!(arena.free.next, 1_020);
    }

    #[test]
    fn when_nothing_of_a_call_is_left_all_of_it_is_taken_back() {
        let mut arena = arena(1_000, 2_000);
        arena.place(100, 1);
        arena.keep();
        for _ in 0..1_000 {
            assert_eq!(arena.place(10, 1), Some(Place::At(1_100)));
            assert_eq!(arena.place(10, 1), Some(Place::At(1_110)));
            arena.take_back(1_100, 10);
            arena.take_back(1_110, 10);
        }
    }

    #[test]
    fn what_was_kept_is_never_handed_out_again() {
        let mut arena = arena(1_000, 2_000);
        arena.place(100, 1);
        arena.keep();
        arena.place(10, 1);
        arena.take_back(1_000, 100);
        assert_eq!(arena.place(10, 1), Some(Place::At(1_110)));
    }

    #[test]
    fn only_the_latest_allocation_is_resized_in_place_and_only_where_it_fits() {
        let mut arena = arena(1_000, 1_100);
        arena.place(10, 1);
        assert!(arena.resize_latest(1_000, 10, 40));
        assert_eq!(arena.free.next, 1_040);
        assert!(!arena.resize_latest(1_000, 40, 101));
        arena.place(10, 1);
        assert!(!arena.resize_latest(1_000, 40, 41));
        assert!(arena.resize_latest(1_040, 10, 5));
        assert_eq!(arena.free.next, 1_045);
    }

    #[test]
    fn a_full_arena_says_how_much_is_missing_and_stays_as_it_was() {
        let mut arena = arena(1_000, 1_100);
        assert_eq!(arena.place(150, 1), Some(Place::Missing(50)));
        assert_eq!((arena.free.next, arena.live), (1_000, 0));
        assert_eq!(arena.place(100, 1), Some(Place::At(1_000)));
    }

    #[test]
    fn a_size_that_no_address_space_holds_is_refused() {
        assert_eq!(arena(1_000, 1_100).place(usize::MAX, 1), None);
    }
}
