//! What libwayland writes with WAYLAND_DEBUG set, made comparable: requests without times and with objects counted as they are made.

use std::collections::HashMap;

/// Interfaces whose requests are the proxy's own affair.
const SHARED_MEMORY: [&str; 3] = ["wl_shm", "wl_shm_pool", "wl_buffer"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Requests are what is sent.
    Client,
    /// Requests are what is received.
    Server,
}

/// Objects by their number on the wire: their interface, and the how manieth of it they are.
#[derive(Default)]
struct Objects {
    names: HashMap<String, String>,
    made: HashMap<String, usize>,
}

impl Objects {
    fn make(&mut self, interface: &str, number: &str) -> String {
        let count = self.made.entry(interface.to_owned()).or_default();
        *count += 1;
        let name = format!("{interface}#{count}");
        self.names.insert(number.to_owned(), name.clone());
        name
    }

    fn name(&mut self, interface: &str, number: &str) -> String {
        let known = self.names.get(number).cloned();
        let known = known.filter(|name| name.split('#').next() == Some(interface));
        known.unwrap_or_else(|| self.make(interface, number))
    }
}

/// The requests of one connection, but those about shared memory and attaching it.
pub fn requests(log: &str, side: Side) -> Vec<String> {
    let mut objects = Objects::default();
    let requests = messages(log).filter(|(is_sent, _)| *is_sent == (side == Side::Client));
    requests
        .filter_map(|(_, line)| simplify(line, &mut objects))
        .collect()
}

/// How many of the client's requests were certainly heard: up to the last whose callback was done.
pub fn answered(log: &str) -> usize {
    let mut objects = Objects::default();
    let mut asked = HashMap::new();
    let (mut count, mut answered) = (0, 0);
    for (is_sent, line) in messages(log) {
        if is_sent {
            count += usize::from(simplify(line, &mut objects).is_some());
            if let Some((_, number)) = line.split_once("new id wl_callback@") {
                asked.insert(number.trim_end_matches(')'), count);
            }
        } else if let Some(done) = line.strip_prefix("wl_callback@") {
            let number = done.split('.').next().unwrap_or_default();
            answered = asked.remove(number).unwrap_or(answered).max(answered);
        }
    }
    answered
}

/// Whether a message was sent by the side that wrote the log, and the message.
fn messages(log: &str) -> impl Iterator<Item = (bool, &str)> {
    let lines = log.lines().filter_map(|line| {
        let line = line.strip_prefix('[')?.split_once(']')?.1.trim_start();
        let sent = line.strip_prefix("-> ");
        Some((sent.is_some(), sent.unwrap_or(line)))
    });
    lines.filter(|(_, line)| line.contains('@') && line.ends_with(')'))
}

fn simplify(line: &str, objects: &mut Objects) -> Option<String> {
    let (target, rest) = line.split_once('.')?;
    let (method, arguments) = rest.split_once('(')?;
    let (interface, number) = target.split_once('@')?;
    let arguments = arguments.strip_suffix(')')?;
    let target = objects.name(interface, number);
    let bound = arguments.split('"').nth(1).unwrap_or_default();
    let words = arguments
        .split(", ")
        .map(|word| match word.split_once('@') {
            _ if word.starts_with("fd ") => "fd".to_owned(),
            Some((name, number)) if word.starts_with("new id ") => {
                let name = name.trim_start_matches("new id ");
                let name = if name == "[unknown]" { bound } else { name };
                objects.make(name, number)
            }
            Some((name, number)) if !word.starts_with('"') => objects.name(name, number),
            _ => word.to_owned(),
        });
    let words = words.collect::<Vec<_>>().join(", ");
    let is_attach = (interface, method) == ("wl_surface", "attach");
    let is_shared = SHARED_MEMORY.contains(&interface) || SHARED_MEMORY.contains(&bound);
    (!is_attach && !is_shared).then(|| format!("{target}.{method}({words})"))
}

#[test]
fn objects_are_counted_as_they_are_made() {
    let client = "[1.0]  -> wl_display@1.get_registry(new id wl_registry@2)\n\
                  [2.0] wl_registry@2.global(1, \"wl_shm\", 1)\n\
                  [3.0]  -> wl_registry@2.bind(1, \"wl_shm\", 1, new id [unknown]@3)\n\
                  [3.0]  -> wl_registry@2.bind(2, \"wl_compositor\", 4, new id [unknown]@4)\n\
                  [4.0]  -> wl_compositor@4.create_surface(new id wl_surface@9)\n\
                  [4.0]  -> wl_surface@9.attach(wl_buffer@7, 0, 0)\n\
                  [4.0]  -> wl_surface@9.commit()\n";
    let expected = [
        "wl_display#1.get_registry(wl_registry#1)",
        "wl_registry#1.bind(2, \"wl_compositor\", 4, wl_compositor#1)",
        "wl_compositor#1.create_surface(wl_surface#1)",
        "wl_surface#1.commit()",
    ];
    assert_eq!(requests(client, Side::Client), expected);
    let server = client
        .replace("-> ", "")
        .replace("wl_surface@9", "wl_surface@5");
    let server = server.replace("[2.0] ", "[2.0] -> ");
    assert_eq!(requests(&server, Side::Server), expected);
}

#[test]
fn what_was_asked_before_the_last_answer_is_answered() {
    let log = "[1.0]  -> wl_display@1.get_registry(new id wl_registry@2)\n\
               [2.0]  -> wl_display@1.sync(new id wl_callback@3)\n\
               [3.0]  -> wl_compositor@4.create_surface(new id wl_surface@5)\n\
               [4.0] wl_callback@3.done(7)\n";
    let asked = "[5.0]  -> wl_surface@5.frame(new id wl_callback@3)\n\
                 [6.0]  -> wl_surface@5.commit()\n";
    assert_eq!(answered(log), 2);
    assert_eq!(answered(&format!("{log}{asked}")), 2);
    let shown = format!("{log}{asked}[7.0] wl_callback@3.done(8)\n");
    assert_eq!(answered(&shown), 4);
}
