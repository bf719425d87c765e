//! What was used last, and no more of it than there is room for.

use std::collections::VecDeque;

/// The values that were used last, the latest first. There are few, so they are looked through one by one.
pub(super) struct Recent<K, V> {
    most: usize,
    entries: VecDeque<(K, V)>,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    /// Room for so many.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            entries: VecDeque::with_capacity(most),
        }
    }

    /// The value of `key`, which is now the one that was used last.
    pub fn get(&mut self, key: &K) -> Option<V> {
        let at = self.entries.iter().position(|(known, _)| known == key)?;
        let entry = self.entries.remove(at)?;
        let value = entry.1.clone();
        self.entries.push_front(entry);
        Some(value)
    }

    /// Keeps `value`, in place of the one that was not used for longest where there is no room.
    pub fn put(&mut self, key: K, value: V) {
        self.entries.truncate(self.most.saturating_sub(1));
        self.entries.push_front((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut recent = Recent::new(2);
        recent.put('a', 1);
        recent.put('b', 2);
        assert_eq!(recent.get(&'a'), Some(1));
        recent.put('c', 3);
        assert_eq!(
            ['a', 'b', 'c'].map(|key| recent.get(&key)),
            [Some(1), None, Some(3)]
        );
    }
}
