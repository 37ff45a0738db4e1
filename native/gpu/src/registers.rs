//! Reads and writes of registers at any offset: what lies outside reads as zeroes, and is not written.

/// The place in `registers` of each byte of an access.
fn places(offset: u64, length: usize) -> impl Iterator<Item = Option<usize>> {
    (0..length).map(move |index| usize::try_from(offset).ok()?.checked_add(index))
}

pub fn read(registers: &[u8], offset: u64, data: &mut [u8]) {
    let places = places(offset, data.len());
    for (byte, at) in data.iter_mut().zip(places) {
        *byte = at.and_then(|at| registers.get(at).copied()).unwrap_or(0);
    }
}

/// Changes the bits that `mask` has for the place.
pub fn write(registers: &mut [u8], offset: u64, data: &[u8], mask: impl Fn(usize) -> u8) {
    for (byte, at) in data.iter().zip(places(offset, data.len())) {
        if let Some((at, cell)) = at.and_then(|at| Some((at, registers.get_mut(at)?))) {
            *cell = *cell & !mask(at) | byte & mask(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_at_the_end_of_the_numbers_is_outside() {
        let mut data = [1; 8];
        read(&[5; 4], u64::MAX - 3, &mut data);
        assert_eq!(data, [0; 8]);
        write(&mut [5; 4], u64::MAX - 3, &data, |_| 0xff);
    }

    #[test]
    fn an_access_over_the_end_has_the_part_inside() {
        let mut data = [1; 4];
        read(&[5, 6, 7, 8], 2, &mut data);
        assert_eq!(data, [7, 8, 0, 0]);
        let mut registers = [0; 4];
        write(&mut registers, 3, &[0xff, 0xff], |_| 0x0f);
        assert_eq!(registers, [0, 0, 0, 0x0f]);
    }
}
