//! Who gets a seat. The rest is tested through sockets, with the built host.

use super::*;

const ROOM: Room = Room {
    seats: 512,
    for_one_address: 128,
};

fn v4(last: u16) -> IpAddr {
    let [high, low] = last.to_be_bytes();
    IpAddr::from([10, 0, high, low])
}

/// Takes what `address` can get.
fn fill(seats: &Seats, address: IpAddr) -> Vec<Seat> {
    std::iter::from_fn(|| seats.take(address)).collect()
}

#[test]
fn one_address_gets_a_quarter_and_gets_it_back() {
    let seats = Seats::new(ROOM);
    let held = fill(&seats, v4(1));
    assert_eq!(held.len(), 128);
    assert!(seats.take(v4(2)).is_some());
    drop(held);
    assert!(seats.held().is_empty(), "no address is remembered");
    assert_eq!(fill(&seats, v4(1)).len(), 128);
}

#[test]
fn the_fewer_seats_are_free_the_fewer_one_address_gets() {
    let seats = Seats::new(ROOM);
    let of_each: Vec<Vec<Seat>> = (0..5).map(|address| fill(&seats, v4(address))).collect();
    let counts: Vec<usize> = of_each.iter().map(Vec::len).collect();
    assert_eq!(counts, [128, 128, 86, 57, 38]);
    assert!(seats.take(v4(6)).is_some());
}

#[test]
fn neighbours_of_ipv6_are_one_address() {
    let seats = Seats::new(ROOM);
    let of = |address: &str| {
        seats
            .take(address.parse().expect("an address"))
            .expect("a seat")
    };
    let _held = [
        of("2001:db8::1"),
        of("2001:db8::ffff:0:0:1"),
        of("2001:db8:0:1::1"),
        of("192.0.2.1"),
        of("::ffff:192.0.2.1"),
        of("::ffff:192.0.2.2"),
    ];
    let mut counts: Vec<usize> = seats.held().values().copied().collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 2, 2]);
}

#[test]
fn there_are_fewer_seats_than_descriptors() {
    for (descriptors, seats) in [(20_000, 512), (1024, 448), (256, 64), (64, 16), (0, 16)] {
        let room = Room::for_descriptors(descriptors);
        assert_eq!(room.seats, seats, "{descriptors}");
        assert_eq!(room.for_one_address, seats / 4, "{descriptors}");
    }
}

#[test]
fn what_is_said_to_those_without_a_seat_is_whole_http() {
    let said = std::str::from_utf8(NO_SEAT).expect("text");
    let (head, body) = said.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
    serde_json::from_str::<serde_json::Value>(body).expect("JSON");
}
