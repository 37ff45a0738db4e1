use std::io::Write;
use std::os::unix::net::UnixStream;

use super::*;
use crate::frame::{Kind, encode};

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn frames_are_read_until_the_end() {
    let (mut near, far) = UnixStream::pair().expect("socket pair");
    let mut bytes = Vec::new();
    for _ in 0..3 {
        encode(Kind::Stdin, b"abc", &mut bytes).expect("short");
    }
    near.write_all(&bytes).expect("room in the socket");
    drop(near);
    let mut reader = FrameReader::new(far);
    for _ in 0..3 {
        assert!(matches!(reader.read_frame(), Ok(Some(_))));
    }
    assert!(matches!(reader.read_frame(), Ok(None)));
}

#[test]
fn a_frame_that_is_begun_and_not_finished_meets_the_deadline() {
    let (mut near, far) = UnixStream::pair().expect("socket pair");
    near.write_all(&[16, 0, 0, 0, 0, 1])
        .expect("room in the socket");
    let mut reader = FrameReader::with_deadline(far, SHORT);
    assert!(matches!(reader.read_frame(), Err(StreamError::Deadline(_))));
}

#[test]
fn a_byte_now_and_then_does_not_put_the_deadline_off() {
    let (mut near, far) = UnixStream::pair().expect("socket pair");
    near.write_all(&[200, 0, 0, 0, 0])
        .expect("room in the socket");
    let writer = std::thread::spawn(move || {
        while near.write_all(b"x").is_ok() {
            std::thread::sleep(SHORT / 10);
        }
    });
    let mut reader = FrameReader::with_deadline(far, SHORT);
    assert!(matches!(reader.read_frame(), Err(StreamError::Deadline(_))));
    drop(reader);
    writer.join().expect("the writer saw the stream close");
}

#[test]
fn a_stream_that_ends_inside_a_frame_is_an_error() {
    let (mut near, far) = UnixStream::pair().expect("socket pair");
    near.write_all(&[16, 0, 0]).expect("room in the socket");
    drop(near);
    assert!(matches!(
        FrameReader::new(far).read_frame(),
        Err(StreamError::Truncated)
    ));
}
