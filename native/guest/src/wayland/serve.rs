//! The Wayland process: `wayland NODE`, with the listening socket as standard input; says a line on standard output when ready.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use cloche_cross_domain::gpu::{Gpu, RenderNode};
use cloche_cross_domain::server::{Server, ServerError};
use cloche_wayland::logger;
use nix::errno::Errno;
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Open descriptors: pools of programs take one each, and so does the memory behind what is shown.
const DESCRIPTORS: u64 = 16_384;

#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("the path of a render node is missing")]
    Usage,
    #[error("cannot {0}")]
    Call(&'static str, #[source] Errno),
    #[error("cannot open {0}")]
    Open(String, #[source] io::Error),
    #[error("cannot {0}")]
    Io(&'static str, #[source] io::Error),
    #[error(transparent)]
    Server(#[from] ServerError),
}

pub fn serve(mut words: impl Iterator<Item = OsString>) -> ExitCode {
    logger::install("wayland");
    let outcome = words
        .next()
        .ok_or(ServeError::Usage)
        .and_then(|node| run(node.into()));
    if let Err(error) = outcome {
        eprintln!("wayland: {}", logger::chain(&error));
    }
    ExitCode::FAILURE
}

fn run(node: PathBuf) -> Result<(), ServeError> {
    set_no_new_privs().map_err(|errno| ServeError::Call("give up privileges", errno))?;
    let asked = watch_signal().map_err(|errno| ServeError::Call("watch signals", errno))?;
    raise_descriptor_limit();
    // Fails here rather than with the first program.
    drop(
        RenderNode::open(&node)
            .map_err(|error| ServeError::Open(node.display().to_string(), error))?,
    );
    let input = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| ServeError::Io("take the listening socket", error))?;
    let open = move || Ok(Rc::new(RenderNode::open(&node)?) as Rc<dyn Gpu>);
    let server = Server::new(Arc::new(open));
    say_ready().map_err(|error| ServeError::Io("say that it is ready", error))?;
    Ok(server.run(&UnixListener::from(input), &asked)?)
}

/// Readable when SIGUSR1 came, which asks for what each program cost.
fn watch_signal() -> nix::Result<File> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGUSR1);
    // Blocked for all threads, which are made later.
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&signals), None)?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signal = SignalFd::with_flags(&signals, flags)?;
    Ok(File::from(signal.as_fd().try_clone_to_owned().map_err(
        |error| Errno::from_raw(error.raw_os_error().unwrap_or_default()),
    )?))
}

/// A refusal leaves the limit as it was.
fn raise_descriptor_limit() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS.min(most), most);
    }
}

/// Standard output is closed by it: whoever waits hears no more.
fn say_ready() -> io::Result<()> {
    // SAFETY: nothing of this process writes to standard output but this line.
    let mut output = File::from(unsafe { OwnedFd::from_raw_fd(1) });
    output.write_all(b"ready\n")
}
