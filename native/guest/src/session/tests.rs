use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;

use cloche_protocol::exec::{Command, ExecFromGuest, ExecToGuest, SignalName, Terminal};
use cloche_protocol::frame::{Kind, encode};
use cloche_protocol::message;
use cloche_protocol::stream::{FrameReader, StreamError};

use super::*;

/// What a session gave until its last message.
#[derive(Debug, Default)]
struct Told {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    messages: Vec<ExecFromGuest>,
}

impl Told {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    fn last(&self) -> &ExecFromGuest {
        self.messages.last().expect("a session ends with a message")
    }
}

/// The host's end of one session.
struct Host {
    stream: UnixStream,
    reader: FrameReader<UnixStream>,
    sessions: Arc<Sessions>,
}

fn sessions() -> Arc<Sessions> {
    let reaper = Reaper::of_tests();
    let account = |name: &str| Account {
        name: name.into(),
        uid: nix::unistd::getuid().as_raw(),
        gid: nix::unistd::getgid().as_raw(),
        groups: vec![nix::unistd::getgid().as_raw()],
        home: "/".into(),
        shell: "/bin/sh".into(),
    };
    let configured = BTreeMap::from([("CONFIGURED".to_owned(), "yes".to_owned())]);
    Sessions::new(
        reaper,
        Users::new(account("user"), account("root"), false, &configured),
    )
}

impl Host {
    fn connect_to(sessions: &Arc<Sessions>) -> Self {
        let (stream, far) = UnixStream::pair().expect("a socket pair");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a socket");
        let serving = sessions.clone();
        thread::spawn(move || serving.run(far));
        let reader = FrameReader::new(stream.try_clone().expect("a descriptor"));
        Self {
            stream,
            reader,
            sessions: sessions.clone(),
        }
    }

    /// The same connection, for a thread that writes.
    fn second(&self) -> Self {
        let clone = || self.stream.try_clone().expect("a descriptor");
        Self {
            stream: clone(),
            reader: FrameReader::new(clone()),
            sessions: self.sessions.clone(),
        }
    }

    fn start(command: Command) -> Self {
        let mut host = Self::connect_to(&sessions());
        host.send(&ExecToGuest::Exec(Box::new(command)));
        host
    }

    fn send(&mut self, message: &ExecToGuest) {
        let mut bytes = Vec::new();
        message::append(message, &mut bytes).expect("a short message");
        self.stream.write_all(&bytes).expect("an open connection");
    }

    fn type_in(&mut self, bytes: &[u8]) {
        let mut frame = Vec::new();
        encode(Kind::Stdin, bytes, &mut frame).expect("a short frame");
        self.stream.write_all(&frame).expect("an open connection");
    }

    /// Reads until a condition holds or the session's last message has come.
    fn read_until(&mut self, told: &mut Told, is_enough: impl Fn(&Told) -> bool) {
        while !is_enough(told) {
            let frame = match self.reader.read_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                // Closed with something unread.
                Err(StreamError::Io(error)) if error.kind() == ErrorKind::ConnectionReset => return,
                Err(error) => panic!("{error}"),
            };
            match frame.kind {
                Kind::Stdout => told.stdout.extend(frame.payload),
                Kind::Stderr => told.stderr.extend(frame.payload),
                _ => told
                    .messages
                    .push(message::parse(&frame).expect("a valid message")),
            }
            if matches!(
                told.messages.last(),
                Some(ExecFromGuest::Exited { .. } | ExecFromGuest::Failed { .. })
            ) {
                return;
            }
        }
    }

    fn read_to_end(&mut self) -> Told {
        let mut told = Told::default();
        self.read_until(&mut told, |_| false);
        told
    }

    fn wait_until_session_is_over(self) {
        drop((self.stream, self.reader));
        self.sessions.wait_for_last_words(Duration::from_secs(20));
        assert_eq!(self.sessions.lock().count, 0);
    }
}

fn sh(script: &str) -> Command {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    Command {
        argv,
        environment: BTreeMap::new(),
        cwd: None,
        tty: None,
        user: UserName::User,
        stdin_credit: false,
    }
}

fn on_tty(script: &str) -> Command {
    Command {
        tty: Some(Terminal {
            columns: 90,
            rows: 30,
            term: "foot".into(),
        }),
        ..sh(script)
    }
}

fn code(code: u8) -> ExecFromGuest {
    ExecFromGuest::Exited {
        code: Some(code),
        signal: None,
    }
}

fn signal(name: &str) -> ExecFromGuest {
    ExecFromGuest::Exited {
        code: None,
        signal: Some(name.into()),
    }
}

#[test]
fn output_errors_and_status_come_apart_and_in_order() {
    let told = Host::start(sh("echo out; echo err >&2; exit 7")).read_to_end();
    assert_eq!(
        (told.text().as_str(), told.stderr.as_slice()),
        ("out\n", b"err\n".as_slice())
    );
    assert!(matches!(told.messages[0], ExecFromGuest::Started { .. }));
    assert_eq!(told.last(), &code(7));
}

#[test]
fn all_output_comes_before_the_status() {
    let told = Host::start(sh("head -c 3000000 /dev/zero; exit 0")).read_to_end();
    assert_eq!((told.stdout.len(), told.last()), (3_000_000, &code(0)));
}

#[test]
fn input_reaches_the_process_to_its_end() {
    let mut host = Host::start(sh("wc -c"));
    let mut feeder = host.second();
    let feeding = thread::spawn(move || {
        for _ in 0..100 {
            feeder.type_in(&[b'x'; 50_000]);
        }
        feeder.send(&ExecToGuest::StdinEof {});
    });
    let told = host.read_to_end();
    feeding.join().expect("all input was taken");
    assert_eq!((told.text().trim(), told.last()), ("5000000", &code(0)));
}

#[test]
fn input_that_nobody_reads_is_held_back_not_hoarded() {
    let mut host = Host::start(sh("sleep 60"));
    host.stream
        .set_write_timeout(Some(Duration::from_millis(300)))
        .expect("a socket");
    let mut frame = Vec::new();
    encode(Kind::Stdin, &[0; 65_536], &mut frame).expect("a short frame");
    let taken = (0..64)
        .take_while(|_| host.stream.write_all(&frame).is_ok())
        .count();
    assert!(taken < 32, "{taken} frames were taken");
    host.wait_until_session_is_over();
}

#[test]
fn input_after_a_process_stopped_reading_is_dropped() {
    let mut host = Host::start(sh(
        "exec 0<&-; read x < /proc/self/stat; echo closed; sleep 0.2; exit 3",
    ));
    let mut told = Told::default();
    host.read_until(&mut told, |told| !told.stdout.is_empty());
    host.type_in(b"lost");
    host.read_until(&mut told, |_| false);
    assert_eq!(told.last(), &code(3));
}

#[test]
fn signals_reach_the_process_group() {
    let mut host = Host::start(sh("sleep 60 & echo up; wait"));
    let mut told = Told::default();
    host.read_until(&mut told, |told| !told.stdout.is_empty());
    host.send(&ExecToGuest::Signal {
        name: SignalName::Term,
    });
    host.read_until(&mut told, |_| false);
    assert_eq!(told.last(), &signal("TERM"));
}

#[test]
fn a_process_that_it_left_behind_does_not_hold_the_status_back() {
    let told = Host::start(sh("sleep 3 & echo done")).read_to_end();
    assert_eq!((told.text().as_str(), told.last()), ("done\n", &code(0)));
}

#[test]
fn a_program_that_is_not_there_or_may_not_run_is_failed_by_name() {
    for (program, name) in [
        ("/no/such", "ENOENT"),
        ("no-such", "ENOENT"),
        ("/etc/passwd", "EACCES"),
        ("/etc", "EACCES"),
    ] {
        let told = Host::start(Command {
            argv: vec![program.into()],
            ..sh("")
        })
        .read_to_end();
        assert!(
            matches!(told.last(), ExecFromGuest::Failed { errno: Some(errno), .. } if errno == name),
            "{told:?}"
        );
    }
    let told = Host::start(Command {
        cwd: Some("/no/such".into()),
        ..sh("true")
    })
    .read_to_end();
    assert!(
        matches!(told.last(), ExecFromGuest::Failed { errno: Some(errno), .. } if errno == "ENOENT"),
        "{told:?}"
    );
}

#[test]
fn strings_with_nul_are_failed() {
    for argv in [
        vec!["a\0b".to_owned()],
        vec!["true".to_owned(), "a\0b".to_owned()],
        vec![],
    ] {
        let told = Host::start(Command { argv, ..sh("") }).read_to_end();
        assert!(
            matches!(told.last(), ExecFromGuest::Failed { .. }),
            "{told:?}"
        );
    }
}

#[test]
fn the_environment_is_the_accounts_then_the_hosts_then_the_commands() {
    let environment = BTreeMap::from([("LANG".to_owned(), "de_DE.UTF-8".to_owned())]);
    let script = "echo $LANG $CONFIGURED $USER ${HOSTTYPE:-none} $PWD";
    let told = Host::start(Command {
        environment,
        cwd: Some("/usr".into()),
        ..sh(script)
    })
    .read_to_end();
    assert_eq!(told.text(), "de_DE.UTF-8 yes user none /usr\n");
}

#[test]
fn programs_are_found_by_the_environment_of_the_session() {
    let environment = BTreeMap::from([("PATH".to_owned(), "/nowhere".to_owned())]);
    let told = Host::start(Command {
        environment,
        argv: vec!["true".into()],
        ..sh("")
    })
    .read_to_end();
    assert!(
        matches!(told.last(), ExecFromGuest::Failed { .. }),
        "{told:?}"
    );
}

#[test]
fn a_terminal_has_its_size_its_type_and_a_controlling_process() {
    let mut host = Host::start(on_tty(
        "stty size; echo $TERM; tty; : < /dev/tty; read line; stty size; echo got $line; exit 4",
    ));
    let mut told = Told::default();
    host.read_until(&mut told, |told| told.text().contains("pts/"));
    host.send(&ExecToGuest::Resize {
        columns: 100,
        rows: 40,
    });
    host.type_in(b"hello\r");
    host.read_until(&mut told, |_| false);
    let text = told.text();
    assert!(text.starts_with("30 90\r\nfoot\r\n/dev/pts/"), "{text}");
    assert!(text.ends_with("40 100\r\ngot hello\r\n"), "{text}");
    assert_eq!(told.last(), &code(4));
}

#[test]
fn control_c_and_the_end_of_input_work_on_a_terminal() {
    let mut host = Host::start(on_tty("trap 'exit 9' INT; echo up; read line; sleep 60"));
    let mut told = Told::default();
    host.read_until(&mut told, |told| told.text().contains("up"));
    host.type_in(&[3]);
    host.read_until(&mut told, |_| false);
    assert_eq!(told.last(), &code(9));
    let mut host = Host::start(on_tty("cat; echo ended"));
    host.send(&ExecToGuest::StdinEof {});
    assert!(host.read_to_end().text().ends_with("ended\r\n"));
}

#[test]
fn all_output_of_a_terminal_comes_before_the_status() {
    for _ in 0..20 {
        let told = Host::start(on_tty("seq 1 3000")).read_to_end();
        assert!(told.text().ends_with("\r\n3000\r\n"), "{:?}", told.last());
    }
}

#[test]
fn a_session_whose_host_is_gone_ends_with_all_of_its_processes() {
    for (command, what) in [
        (sh("trap '' HUP; echo $$; sleep 61 & sleep 62"), "killed"),
        (on_tty("echo $$; sleep 63"), "hung up"),
    ] {
        let mut host = Host::start(command);
        let mut told = Told::default();
        host.read_until(&mut told, |told| told.text().contains('\n'));
        let leader: i32 = told.text().trim().parse().expect("a process id");
        host.wait_until_session_is_over();
        // A killed process takes a moment to be gone.
        let begun = std::time::Instant::now();
        while !command::members(Pid::from_raw(leader)).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{what}");
            thread::yield_now();
        }
    }
}

#[test]
fn what_is_not_due_ends_the_session() {
    let twice = |host: &mut Host| host.send(&ExecToGuest::Exec(Box::new(sh("true"))));
    let after_end = |host: &mut Host| {
        host.send(&ExecToGuest::StdinEof {});
        host.type_in(b"more");
    };
    let garbage = |host: &mut Host| host.stream.write_all(&[0; 64]).expect("an open connection");
    let breaks: [&dyn Fn(&mut Host); 3] = [&twice, &after_end, &garbage];
    for break_rules in breaks {
        let mut host = Host::start(sh("sleep 60"));
        break_rules(&mut host);
        let told = host.read_to_end();
        assert!(told.messages.len() <= 1, "{told:?}");
        host.wait_until_session_is_over();
    }
}

#[test]
fn a_connection_that_begins_with_anything_but_exec_is_closed() {
    let mut host = Host::connect_to(&sessions());
    host.send(&ExecToGuest::StdinEof {});
    assert!(host.read_to_end().messages.is_empty());
}

#[test]
fn one_session_too_many_and_one_after_closing_are_told_so() {
    let sessions = sessions();
    let mut open: Vec<Host> = (0..MAX_SESSIONS)
        .map(|_| Host::connect_to(&sessions))
        .collect();
    for host in &mut open {
        host.send(&ExecToGuest::Exec(Box::new(sh("echo up; cat"))));
        host.read_until(&mut Told::default(), |told| !told.stdout.is_empty());
    }
    let refused = |sessions: &Arc<Sessions>| {
        let mut host = Host::connect_to(sessions);
        host.send(&ExecToGuest::Exec(Box::new(sh("true"))));
        let told = host.read_to_end();
        assert!(
            matches!(told.last(), ExecFromGuest::Failed { errno: Some(errno), .. } if errno == "EAGAIN"),
            "{told:?}"
        );
    };
    refused(&sessions);
    sessions.close();
    drop(open);
    sessions.wait_for_last_words(Duration::from_secs(20));
    refused(&sessions);
}

#[test]
fn with_credit_a_signal_overtakes_input_that_nobody_reads() {
    let mut host = Host::start(Command {
        stdin_credit: true,
        ..sh("exec sleep 60")
    });
    for _ in 0..cloche_protocol::STDIN_WINDOW / 32_768 {
        host.type_in(&[0; 32_768]);
    }
    host.send(&ExecToGuest::Signal {
        name: SignalName::Int,
    });
    assert_eq!(host.read_to_end().last(), &signal("INT"));
}

#[test]
fn with_credit_the_host_is_told_of_every_byte_that_was_taken() {
    let mut host = Host::start(Command {
        stdin_credit: true,
        ..sh("head -c 100000 | wc -c; exec 0<&-; sleep 1")
    });
    host.type_in(&[0; 200_000]);
    let told = host.read_to_end();
    let taken = |message: &ExecFromGuest| match message {
        ExecFromGuest::StdinTaken { bytes } => *bytes,
        _ => 0,
    };
    assert_eq!(
        told.messages.iter().map(taken).sum::<u32>(),
        200_000,
        "{told:?}"
    );
}

#[test]
fn input_beyond_the_credit_ends_the_session() {
    let mut host = Host::start(Command {
        stdin_credit: true,
        ..sh("sleep 60")
    });
    let mut frame = Vec::new();
    encode(Kind::Stdin, &[0; 65_536], &mut frame).expect("a short frame");
    // A pipe's worth is taken by the process's own pipe; the connection may be closed before the last.
    for _ in 0..8 {
        let _ = host.stream.write_all(&frame);
    }
    assert!(host.read_to_end().messages.len() <= 3);
}
