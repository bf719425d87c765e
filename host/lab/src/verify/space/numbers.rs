//! Numbers that are easily got wrong.

/// Numbers at the edges of the ways in which machines hold them.
pub(super) const EDGES: [i64; 33] = [
    i64::MIN,
    -4_294_967_296,
    -2_147_483_649,
    -2_147_483_648,
    -65_536,
    -32_769,
    -256,
    -255,
    -129,
    -128,
    -2,
    -1,
    0,
    1,
    2,
    9,
    10,
    11,
    99,
    100,
    127,
    128,
    255,
    256,
    257,
    32_768,
    65_535,
    65_536,
    2_147_483_647,
    2_147_483_648,
    4_294_967_295,
    4_294_967_296,
    i64::MAX,
];

/// What the component has among its constants, with neighbours, and what machines and people count by.
pub(super) fn numbers(constants: &[u64]) -> Vec<i64> {
    let near = |number: i64| [number.saturating_sub(1), number, number.saturating_add(1)];
    let constants = constants.iter().map(|number| number.cast_signed());
    let powers_of_two = (0..63).map(|power| 1_i64 << power);
    let powers_of_ten = (0..19).map(|power| 10_i64.pow(power));
    let mut numbers: Vec<i64> = constants
        .chain(powers_of_two)
        .chain(powers_of_ten)
        .flat_map(near)
        .chain(EDGES)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
