//! Round trips: `wl_display.sync` until its callback is done, one after the other.

use std::time::Instant;

use wayland_client::Connection;

use crate::failure::Failure;
use crate::gate;

const WARM_UP: u32 = 20;

struct Nothing;

pub fn run(count: u32) -> Result<(), Failure> {
    let connection = Connection::connect_to_env()?;
    let mut queue = connection.new_event_queue::<Nothing>();
    let mut round_trip = || queue.roundtrip(&mut Nothing);
    for _ in 0..WARM_UP {
        round_trip()?;
    }
    gate::wait_for_start()?;
    let mut taken_ns = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let start = Instant::now();
        round_trip()?;
        taken_ns.push(start.elapsed().as_nanos());
    }
    taken_ns.sort_unstable();
    let min = taken_ns[0];
    let median = taken_ns[taken_ns.len() / 2];
    let mean = taken_ns.iter().sum::<u128>() / taken_ns.len() as u128;
    gate::finish(&format!(
        r#"{{"count":{count},"minNs":{min},"medianNs":{median},"meanNs":{mean}}}"#
    ))
}
