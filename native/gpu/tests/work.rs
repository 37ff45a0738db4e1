//! What a driver can make the device do: work that ends, and none while nothing happens.
#![allow(clippy::unwrap_used, dead_code)]

mod support;

use std::{
    fs,
    io::Write,
    thread,
    time::{Duration, Instant},
};

use support::{CHANNEL, Driver, RAM, command, cross, word};

const DETACH: u32 = 0x203;
const SUBMIT: u32 = 0x207;
const REQUIREMENTS: u8 = 2;
const NODATA: u32 = 0x1100;
const INVALID: u32 = 0x1205;

/// What all threads of this process have used.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

#[test]
fn a_ring_that_is_gone_while_an_event_waits_makes_no_busy_loop() {
    let mut driver = Driver::new();
    let mut lens = driver.open();
    driver.poll();
    assert_eq!(driver.call(DETACH, &[CHANNEL, 0]), NODATA);
    lens.write_all(b"x").unwrap();
    let before = processor_time();
    thread::sleep(Duration::from_secs(1));
    // Other tests of this file take their share.
    let used = processor_time() - before;
    assert!(used < Duration::from_millis(500), "{used:?} in a second");
}

#[test]
fn a_submission_has_a_bounded_length() {
    let mut driver = Driver::new();
    let _lens = driver.open();
    let one = cross(REQUIREMENTS, &[1, 1, u32::from_le_bytes(*b"R8  "), 0], &[]);
    let mut submit = |bytes: usize| {
        let body = one.repeat(bytes / one.len());
        let mut request = command(SUBMIT, &[u32::try_from(body.len()).unwrap(), 0]);
        request.extend(&body);
        let at = RAM + 0x20_0000;
        driver.put(at, &request);
        let length = u32::try_from(request.len()).unwrap();
        driver.descriptor(0, 62, at, length, 1, 63);
        driver.descriptor(0, 63, RAM + 0x10_0000 - 512, 512, 2, 0);
        let started = Instant::now();
        driver.offer(0, 62);
        let answer = driver.get(RAM + 0x10_0000 - 512, 4);
        (word(&answer, 0), started.elapsed())
    };
    assert_eq!(submit(60 << 10).0, NODATA);
    let (answer, took) = submit(4 << 19);
    assert_eq!(answer, INVALID);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
