//! The power button: the input devices of the kernel's ACPI driver (drivers/acpi/button.c, include/uapi/linux/input.h).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::thread;

const CLASS: &str = "/sys/class/input";
const NODES: &str = "/dev/input";
const NAME: &str = "Power Button";

const EVENT_BYTES: usize = size_of::<libc::input_event>();
const EV_KEY: u16 = 0x01;
const KEY_POWER: u16 = 116;
const PRESSED: i32 = 1;

/// Calls `pressed` in a thread, once for each device, when it is pressed. A machine without one has no such thread.
pub fn watch(pressed: impl Fn() + Clone + Send + 'static) -> io::Result<()> {
    for button in find() {
        let pressed = pressed.clone();
        thread::Builder::new()
            .name("power-button".into())
            .spawn(move || {
                if wait_for_press(button).is_ok() {
                    pressed();
                }
            })?;
    }
    Ok(())
}

fn find() -> Vec<File> {
    let entries = fs::read_dir(CLASS).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            fs::read_to_string(entry.path().join("device/name"))
                .is_ok_and(|name| name.trim_end() == NAME)
        })
        .filter_map(|entry| File::open(Path::new(NODES).join(entry.file_name())).ok())
        .collect()
}

fn wait_for_press(mut events: impl Read) -> io::Result<()> {
    let mut event = [0; EVENT_BYTES];
    loop {
        events.read_exact(&mut event)?;
        if is_press(&event) {
            return Ok(());
        }
    }
}

/// After the time come the type, the code and the value.
fn is_press(event: &[u8; EVENT_BYTES]) -> bool {
    const WHAT: usize = EVENT_BYTES - 8;
    let [t0, t1, c0, c1, value @ ..] = &event[WHAT..] else {
        return false;
    };
    u16::from_ne_bytes([*t0, *t1]) == EV_KEY
        && u16::from_ne_bytes([*c0, *c1]) == KEY_POWER
        && value == PRESSED.to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        let mut bytes = vec![0xff; EVENT_BYTES - 8];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(code.to_ne_bytes());
        bytes.extend(value.to_ne_bytes());
        bytes
    }

    #[test]
    fn only_the_power_key_that_goes_down_is_a_press() {
        let others = [(0, 0, 0), (EV_KEY, 1, PRESSED), (EV_KEY, KEY_POWER, 0)];
        let mut bytes: Vec<u8> = others
            .into_iter()
            .flat_map(|(kind, code, value)| event(kind, code, value))
            .collect();
        let ended = wait_for_press(bytes.as_slice()).map_err(|error| error.kind());
        assert_eq!(ended, Err(io::ErrorKind::UnexpectedEof));
        bytes.extend(event(EV_KEY, KEY_POWER, PRESSED));
        assert!(wait_for_press(bytes.as_slice()).is_ok());
    }
}
