//! The readers of ring messages take anything, and believe nothing that does not fit.

use proptest::prelude::*;

use super::*;

fn ring(words: &[(usize, u32)], kind: u8) -> [u8; PAGE_BYTES] {
    let mut ring = [0; PAGE_BYTES];
    ring[0] = kind;
    for (at, word) in words {
        ring[*at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    ring
}

#[test]
fn commands_have_the_lengths_that_crosvm_reads() {
    assert_eq!(init(1, 2).len(), 20);
    assert_eq!(poll().len(), 8);
    assert_eq!(get_image_requirements(1, 1, 1, 1).len(), 24);
    assert_eq!(send(&[0; 12], &[]).len(), 352 + 12);
    assert_eq!(write(1, &[0; 5], false).len(), 24 + 5);
    let longest = send(&[0; MAX_DATA], &[Identifier::Blob(1); MAX_IDENTIFIERS]);
    assert_eq!(longest.len(), PAGE_BYTES);
    assert_eq!(u16::from_le_bytes([longest[2], longest[3]]), 4096);
}

#[test]
fn identifiers_are_written_in_their_columns() {
    let bytes = send(b"ab", &[Identifier::Blob(7), Identifier::ReadPipe(9)]);
    assert_eq!((word(&bytes, 8), word(&bytes, 12)), (2, 2));
    assert_eq!((word(&bytes, 16), word(&bytes, 20)), (7, 9));
    assert_eq!((word(&bytes, 128), word(&bytes, 132)), (1, 3));
    assert_eq!(&bytes[352..], b"ab");
}

#[test]
fn a_received_message_is_read_with_its_descriptors() {
    let mut ring = ring(
        &[
            (8, 2),
            (12, 3),
            (16, 5),
            (128, 1),
            (240, 77),
            (20, 6),
            (132, 4),
        ],
        RECEIVE,
    );
    ring[352..355].copy_from_slice(b"xyz");
    let expected = Event::Received {
        bytes: b"xyz".to_vec(),
        items: vec![Item::File { id: 5, bytes: 77 }, Item::WritePipe { id: 6 }],
    };
    assert_eq!(parse(&ring), Ok(expected));
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = [
        (ring(&[(8, 29), (12, 1)], RECEIVE), WireError::Bounds(29, 1)),
        (ring(&[(12, 3745)], RECEIVE), WireError::Bounds(0, 3745)),
        (ring(&[(8, 1), (128, 7)], RECEIVE), WireError::Descriptor(7)),
        (ring(&[(16, 4073)], READ), WireError::Bounds(0, 4073)),
        (ring(&[], 99), WireError::Kind(99)),
    ];
    for (ring, error) in refused {
        assert_eq!(parse(&ring), Err(error));
    }
    assert_eq!(parse(&ring(&[], RECEIVE)), Ok(Event::HungUp));
    assert_eq!(parse(&ring(&[], 0)), Ok(Event::Nothing));
}

#[test]
fn a_device_without_wayland_is_refused() {
    let mut bytes = [0; CAPABILITY_BYTES];
    assert_eq!(Capabilities::parse(&bytes), Err(WireError::NoWayland(0)));
    bytes[0] = 1;
    bytes[4] = 2;
    bytes[16] = 1;
    let capabilities = Capabilities::parse(&bytes).expect("Wayland");
    assert!(capabilities.can_locate && !capabilities.has_dmabuf);
}

proptest! {
    #[test]
    fn any_ring_is_read_or_refused(
        head in prop::collection::vec(any::<u8>(), 400),
        kind in prop_oneof![Just(RECEIVE), Just(READ), any::<u8>()],
        counts in (0u32..40, 0u32..5000),
    ) {
        let mut ring = [0; PAGE_BYTES];
        ring[..400].copy_from_slice(&head);
        let _ = parse(&ring);
        ring[0] = kind;
        ring[8..12].copy_from_slice(&counts.0.to_le_bytes());
        ring[12..16].copy_from_slice(&counts.1.to_le_bytes());
        match parse(&ring) {
            Ok(Event::Received { bytes, items }) => {
                prop_assert!(bytes.len() <= MAX_DATA && items.len() <= MAX_IDENTIFIERS);
            }
            Ok(Event::Read { bytes, .. }) => prop_assert!(bytes.len() <= MAX_PIPE_DATA),
            _ => {}
        }
    }
}
