use proptest::prelude::*;

use super::*;

fn decode_all(chunks: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<Frame>, FrameError> {
    let mut decoder = FrameDecoder::default();
    let mut frames = Vec::new();
    for chunk in chunks {
        decoder.push(&chunk);
        while let Some(frame) = decoder.next_frame()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn encoded(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        encode(frame.kind, &frame.payload, &mut bytes).expect("payload within the limit");
    }
    bytes
}

#[test]
fn a_length_of_zero_is_refused() {
    assert_eq!(decode_all([vec![0, 0, 0, 0]]), Err(FrameError::Length(0)));
}

#[test]
fn a_length_of_one_is_a_frame_without_payload() {
    let frames = decode_all([vec![1, 0, 0, 0, 1]]);
    assert_eq!(
        frames,
        Ok(vec![Frame {
            kind: Kind::Stdin,
            payload: vec![]
        }])
    );
}

#[test]
fn lengths_beyond_the_limit_are_refused_before_any_memory_is_taken() {
    for length in [262_145, 1 << 31, u32::MAX] {
        let mut decoder = FrameDecoder::default();
        decoder.push(&length.to_le_bytes());
        assert_eq!(decoder.next_frame(), Err(FrameError::Length(length)));
        assert!(decoder.buffer.capacity() < 1024);
    }
}

#[test]
fn a_long_frame_that_is_only_announced_takes_no_memory() {
    let mut decoder = FrameDecoder::default();
    decoder.push(&262_144_u32.to_le_bytes());
    assert_eq!(decoder.next_frame(), Ok(None));
    assert!(decoder.is_partial());
    assert!(decoder.buffer.capacity() < 1024);
}

#[test]
fn the_longest_frame_passes_and_one_byte_more_is_not_encoded() {
    let frame = Frame {
        kind: Kind::Stdout,
        payload: vec![7; MAX_PAYLOAD],
    };
    assert_eq!(
        decode_all([encoded(std::slice::from_ref(&frame))]),
        Ok(vec![frame])
    );
    let mut out = Vec::new();
    assert!(encode(Kind::Stdout, &vec![7; MAX_PAYLOAD + 1], &mut out).is_err());
    assert!(out.is_empty());
}

#[test]
fn unknown_kinds_are_refused() {
    for kind in 4..=255 {
        assert_eq!(
            decode_all([vec![1, 0, 0, 0, kind]]),
            Err(FrameError::Kind(kind))
        );
    }
}

#[test]
fn a_thousand_frames_at_once_and_in_single_bytes_give_the_same() {
    let frames: Vec<Frame> = (0..1000_u32)
        .map(|n| Frame {
            kind: Kind::Json,
            payload: n.to_le_bytes().repeat(8),
        })
        .collect();
    let bytes = encoded(&frames);
    assert_eq!(decode_all([bytes.clone()]), Ok(frames.clone()));
    assert_eq!(
        decode_all(bytes.into_iter().map(|byte| vec![byte])),
        Ok(frames)
    );
}

#[test]
fn the_longest_frame_in_single_bytes_is_not_copied_over_and_over() {
    let frame = Frame {
        kind: Kind::Stdout,
        payload: vec![7; MAX_PAYLOAD],
    };
    let bytes = encoded(&vec![frame; 16]);
    let frames = decode_all(bytes.into_iter().map(|byte| vec![byte]));
    assert_eq!(frames.map(|frames| frames.len()), Ok(16));
}

proptest! {
    #[test]
    fn any_split_gives_the_frames_that_were_sent(
        frames in prop::collection::vec((0..4_u8, prop::collection::vec(any::<u8>(), 0..300)), 0..40),
        sizes in prop::collection::vec(1..200_usize, 1..50),
    ) {
        let frames: Vec<Frame> = frames
            .into_iter()
            .map(|(kind, payload)| Frame { kind: Kind::from_byte(kind).expect("in range"), payload })
            .collect();
        let bytes = encoded(&frames);
        let mut rest = bytes.as_slice();
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, tail) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk.to_vec());
            rest = tail;
        }
        prop_assert_eq!(decode_all(chunks), Ok(frames));
    }

    #[test]
    fn arbitrary_bytes_never_give_more_than_was_sent(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        if let Ok(frames) = decode_all([bytes.clone()]) {
            prop_assert!(encoded(&frames).len() <= bytes.len());
        }
    }
}
