//! Video streams of the host, as nodes of the guest's own PipeWire. It is started when the first stream comes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};
use serde_json::json;

/// A configuration of PipeWire for one stream.
const CONFIGURATION: &str = include_str!("../../media/cloche-media.conf");
/// How long PipeWire may take to start.
const DEADLINE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("cannot start {program}: {error}")]
    Start { program: String, error: io::Error },
    #[error("PipeWire cannot be reached: {0}")]
    PipeWire(io::Error),
    #[error("the host cannot be reached: {0}")]
    Host(io::Error),
    #[error("cannot write PipeWire's configuration: {0}")]
    Configuration(io::Error),
}

/// Opens a connection to the host's media port.
pub type Connect = Box<dyn Fn() -> io::Result<fs::File> + Send + Sync>;

pub struct Media {
    connect: Connect,
    /// Held while PipeWire starts.
    starting: Mutex<()>,
}

impl Media {
    pub fn new(connect: Connect) -> Self {
        Self {
            connect,
            starting: Mutex::new(()),
        }
    }

    /// Shows a stream of the host's for as long as the host keeps its connection open.
    pub fn show(
        &self,
        stream: u32,
        properties: &BTreeMap<String, String>,
    ) -> Result<(), MediaError> {
        self.ensure_pipewire()?;
        let configuration = runtime_directory().join("cloche-media.conf");
        fs::write(&configuration, CONFIGURATION).map_err(MediaError::Configuration)?;
        let mut connection = (self.connect)().map_err(MediaError::Host)?;
        connection
            .write_all(&stream.to_le_bytes())
            .map_err(MediaError::Host)?;
        let arguments = json!({
            "media.end": "source",
            "media.connection": 0,
            "stream.props": properties,
        });
        let mut command = Command::new("pipewire");
        command.arg("-c").arg(&configuration);
        command.env("CLOCHE_MEDIA", arguments.to_string());
        start(command, OwnedFd::from(connection).into())
    }

    fn ensure_pipewire(&self) -> Result<(), MediaError> {
        let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if connect_program().is_ok() {
            return Ok(());
        }
        start(quiet("pipewire"), Stdio::null())?;
        let begun = Instant::now();
        while let Err(error) = connect_program() {
            if begun.elapsed() > DEADLINE {
                return Err(error);
            }
            thread::sleep(LOOK_AGAIN);
        }
        start(quiet("wireplumber"), Stdio::null())
    }
}

/// A program's own connection to the guest's PipeWire.
pub fn connect_program() -> Result<OwnedFd, MediaError> {
    let stream = UnixStream::connect(runtime_directory().join("pipewire-0"));
    stream.map(OwnedFd::from).map_err(MediaError::PipeWire)
}

fn runtime_directory() -> PathBuf {
    std::env::var_os("XDG_RUNTIME_DIR")
        .unwrap_or_default()
        .into()
}

/// What they find missing in a machine without hardware is nobody's news.
fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PIPEWIRE_DEBUG", "0");
    command.env("WIREPLUMBER_DEBUG", "0");
    command
}

/// Starts a program that ends with this process.
fn start(mut command: Command, input: Stdio) -> Result<(), MediaError> {
    command.stdin(input).stdout(Stdio::null());
    // SAFETY: between fork and exec it makes one system call.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::TERM))?));
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let (started, outcome) = mpsc::channel();
    // It is told of the end of the thread that started it, which therefore waits for it.
    thread::spawn(move || match command.spawn() {
        Ok(mut child) => {
            let _ = started.send(Ok(()));
            let _ = child.wait();
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    });
    let outcome = outcome.recv().unwrap_or(Ok(()));
    outcome.map_err(|error| MediaError::Start { program, error })
}
