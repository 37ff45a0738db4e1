//! cloche-guest: process 1 of the machine and the host's agent in it, from the initramfs to power off.

mod account;
mod agent;
mod boot;
mod bus;
mod console;
mod daemon;
mod environment;
mod failure;
mod identity;
mod launch;
mod link;
mod network;
mod portals;
mod power_button;
mod reaper;
mod session;
mod shares;
mod shutdown;
mod timeline;
mod tty;
mod vsock;
mod wait;
mod wayland;
mod x11;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::process::id() != 1 {
        let mut words = std::env::args_os().skip(1);
        match words.next() {
            Some(word) if word == wayland::COMMAND => return wayland::serve(words),
            Some(word) if word == x11::COMMAND => return x11::serve(words),
            Some(word) if word == portals::COMMAND => return portals::serve(words),
            _ => {}
        }
        eprintln!("cloche-guest: runs as process 1 of a machine only");
        return ExitCode::from(2);
    }
    std::panic::set_hook(Box::new(|panic| {
        console::say("panic", &panic.to_string());
        // A thread's panic ends one session; process 1 itself must never end.
        if std::thread::current().name() == Some("main") {
            shutdown::power_off();
        }
    }));
    let mut timeline = timeline::Timeline::default();
    timeline.mark("kernel");
    match boot::run(&mut timeline) {
        Ok(warnings) => agent::run(timeline, &warnings),
        Err(failure) => {
            console::say(failure.stage, &failure.message);
            shutdown::power_off()
        }
    }
}
