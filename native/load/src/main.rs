//! A Wayland client that makes a known load: `sync N`, or `frames N WIDTH HEIGHT PERCENT`. Once warm it says `ready` and
//! begins with a line on its standard input; its result is one line of JSON. It ends when its standard input does.

mod canvas;
mod failure;
mod frames;
mod gate;
mod rectangle;
mod sync;
mod window;

use failure::Failure;
use rectangle::{Rectangle, Size};

const USAGE: &str = "sync N | frames N WIDTH HEIGHT PERCENT";

fn main() -> std::process::ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cloche-load: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["sync", count] => sync::run(number(count)?),
        ["frames", count, width, height, percent] => {
            let size = Size {
                width: number(width)?,
                height: number(height)?,
            };
            let damage = Rectangle::of_share(size, number(percent)?);
            frames::run(number(count)?, size, damage)
        }
        _ => Err(Failure::Usage(USAGE)),
    }
}

/// At least 1 and at most 16,384, so that no product of two is too large for a pool.
fn number(text: &str) -> Result<u32, Failure> {
    text.parse()
        .ok()
        .filter(|value| (1..=16_384).contains(value))
        .ok_or(Failure::Usage(USAGE))
}
