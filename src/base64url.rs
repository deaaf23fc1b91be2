//! Base64url without padding (RFC 4648 section 5) of one payload, with no table, comparison or branch on a character:
//! whatever the compiler makes of it, vectors or plain words, only lengths decide where it jumps and what it loads.

pub(crate) const DECODED_LEN: usize = 43;
/// Four characters for three bytes (RFC 4648 section 4).
pub(crate) const ENCODED_LEN: usize = (DECODED_LEN * 4).div_ceil(3);

/// First character, last character, value of the first (RFC 4648 table 2).
const ALPHABET: [(u8, u8, u8); 5] = [
    (b'A', b'Z', 0),
    (b'a', b'z', 26),
    (b'0', b'9', 52),
    (b'-', b'-', 62),
    (b'_', b'_', 63),
];

/// The bytes that the text stands for, if all of it is base64url and the bits past the last byte are zero.
// Out of line on purpose: inlined, its result was cut into pieces whose joining took as long as the decoding.
#[inline(never)]
pub(crate) fn decode(text: &[u8; ENCODED_LEN]) -> Option<[u8; DECODED_LEN]> {
    let eights = text.chunks_exact(8);
    let &[y, z] = eights.remainder() else {
        return None;
    };
    // `A` is zero: filled up with it, the last word is whole and the spare bits are the first of its zeros.
    let mut words = [u64::from_le_bytes([y, z, b'A', b'A', b'A', b'A', b'A', b'A']); 8];
    for (word, eight) in words.iter_mut().zip(eights) {
        *word = u64::from_le_bytes(eight.try_into().ok()?);
    }

    let mut bad = 0;
    for word in &mut words {
        let (values, invalid) = values(*word);
        bad |= invalid;
        // The first character is the lowest lane and the highest six bits: lanes are joined two by two and swapped.
        let twelves = ((values & 0x003f_003f_003f_003f) << 6) | ((values >> 8) & 0x003f_003f_003f_003f);
        let halves = ((twelves & 0x0fff_0000_0fff) << 12) | ((twelves >> 16) & 0x0fff_0000_0fff);
        *word = ((halves & 0xff_ffff) << 24) | (halves >> 32);
    }

    let [a, b, c, d, e, f, g, h] = words.map(u128::from);
    let bytes = [
        (a << 80) | (b << 32) | (c >> 16),
        (c << 112) | (d << 64) | (e << 16) | (f >> 32),
        (f << 96) | (g << 48) | h,
    ]
    .map(u128::to_be_bytes);
    let decoded = *bytes.as_flattened().first_chunk()?;
    let spare = h & 0xff_ffff_ffff;
    (u128::from(bad) | spare == 0).then_some(decoded)
}

/// A word with the same byte in each of its eight lanes.
const fn lanes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The values of eight characters (the low six bits of each lane), and zero if all of them belong to the alphabet.
fn values(characters: u64) -> (u64, u64) {
    let (mut valid, mut offset) = (0, 0);
    for (first, last, value) in ALPHABET {
        // Below 0x80, adding 0x80 - n sets a lane's top bit from n on and carries nothing into the next lane.
        let from_first = characters.wrapping_add(lanes(0x80_u8.wrapping_sub(first)));
        let past_last = characters.wrapping_add(lanes(0x7f_u8.wrapping_sub(last)));
        let inside = from_first & !past_last & lanes(0x80);
        valid |= inside;
        // 0x80 - 0x01 is seven ones, all that the sum below needs.
        offset |= inside.wrapping_sub(inside >> 7) & lanes(value.wrapping_sub(first) & 0x7f);
    }
    (characters.wrapping_add(offset), (characters | !valid) & lanes(0x80))
}
