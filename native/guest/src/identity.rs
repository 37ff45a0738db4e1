//! What makes a booted image one instance: its name, machine id, clock and randomness.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloche_protocol::control::Configuration;
use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_settime};

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the host name is not valid")]
    Hostname,
    #[error("the machine id is not 32 hexadecimal digits")]
    MachineId,
    #[error("the time is not a number of nanoseconds since 1970")]
    Clock,
    #[error("the seed is not {SEED_BYTES} bytes in base64")]
    Seed,
    #[error("cannot {what}: {errno}")]
    Call { what: &'static str, errno: Errno },
    #[error("cannot write {path}: {error}")]
    Write {
        path: &'static str,
        error: io::Error,
    },
}

const SEED_BYTES: usize = 64;
/// Bytes of a host name, by Linux's HOST_NAME_MAX less one for DNS.
const MAX_HOSTNAME: usize = 63;

/// Everything is checked before anything is set.
pub fn take(configuration: &Configuration) -> Result<(), IdentityError> {
    let hostname = check_hostname(&configuration.hostname)?;
    let machine_id = check_machine_id(&configuration.machine_id)?;
    let time = parse_time(&configuration.clock_unix_ns)?;
    let seed = parse_seed(&configuration.seed)?;
    clock_settime(ClockId::CLOCK_REALTIME, time).map_err(|errno| IdentityError::Call {
        what: "set the clock",
        errno,
    })?;
    add_entropy(&seed)?;
    nix::unistd::sethostname(hostname).map_err(|errno| IdentityError::Call {
        what: "set the host name",
        errno,
    })?;
    write("/etc/hostname", &format!("{hostname}\n"))?;
    write(
        "/etc/hosts",
        &format!("127.0.0.1\tlocalhost\n127.0.1.1\t{hostname}\n::1\tlocalhost\n"),
    )?;
    write("/etc/machine-id", &format!("{machine_id}\n"))
}

fn write(path: &'static str, text: &str) -> Result<(), IdentityError> {
    fs::write(path, text).map_err(|error| IdentityError::Write { path, error })
}

fn check_hostname(name: &str) -> Result<&str, IdentityError> {
    let is_valid = (1..=MAX_HOSTNAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-');
    is_valid.then_some(name).ok_or(IdentityError::Hostname)
}

fn check_machine_id(id: &str) -> Result<&str, IdentityError> {
    let is_valid = id.len() == 32
        && id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_valid.then_some(id).ok_or(IdentityError::MachineId)
}

fn parse_time(nanoseconds: &str) -> Result<TimeSpec, IdentityError> {
    let total: u64 = nanoseconds.parse().map_err(|_| IdentityError::Clock)?;
    let seconds = i64::try_from(total / 1_000_000_000).map_err(|_| IdentityError::Clock)?;
    Ok(TimeSpec::new(seconds, (total % 1_000_000_000) as i64))
}

fn parse_seed(text: &str) -> Result<[u8; SEED_BYTES], IdentityError> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(IdentityError::Seed)
}

/// The argument of RNDADDENTROPY, random(4).
#[repr(C)]
struct PoolInfo {
    entropy_bits: libc::c_int,
    bytes: libc::c_int,
    seed: [u8; SEED_BYTES],
}

fn add_entropy(seed: &[u8; SEED_BYTES]) -> Result<(), IdentityError> {
    const RNDADDENTROPY: libc::c_ulong =
        nix::request_code_write!(b'R', 0x03, size_of::<[libc::c_int; 2]>());
    let random = File::options().write(true).open("/dev/random");
    let random = random.map_err(|error| IdentityError::Write {
        path: "/dev/random",
        error,
    })?;
    let info = PoolInfo {
        entropy_bits: 8 * SEED_BYTES as libc::c_int,
        bytes: SEED_BYTES as libc::c_int,
        seed: *seed,
    };
    // SAFETY: the descriptor is open, and the kernel reads `bytes` bytes behind the two integers, which is the structure.
    let result = unsafe { libc::ioctl(random.as_raw_fd(), RNDADDENTROPY, &raw const info) };
    Errno::result(result)
        .map(drop)
        .map_err(|errno| IdentityError::Call {
            what: "add randomness",
            errno,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_something_else_are_refused() {
        for name in ["", "-a", "a b", "a.b", "a\nb", "é", &"a".repeat(64)] {
            assert!(check_hostname(name).is_err(), "{name}");
        }
        assert!(check_hostname("foot-work").is_ok());
    }

    #[test]
    fn machine_ids_are_32_lower_case_digits() {
        assert!(check_machine_id("0123456789abcdef0123456789abcdef").is_ok());
        assert!(check_machine_id("0123456789ABCDEF0123456789abcdef").is_err());
        assert!(check_machine_id("0123").is_err());
    }

    #[test]
    fn the_time_keeps_its_nanoseconds() {
        let time = parse_time("1795390000000000007").expect("a number");
        assert_eq!((time.tv_sec(), time.tv_nsec()), (1_795_390_000, 7));
        assert!(parse_time("-1").is_err());
        assert!(parse_time("99999999999999999999").is_err());
    }

    #[test]
    fn a_seed_of_another_length_is_refused() {
        assert!(parse_seed(&STANDARD.encode([1; 64])).is_ok());
        assert!(parse_seed(&STANDARD.encode([1; 63])).is_err());
        assert!(parse_seed("?").is_err());
    }
}
