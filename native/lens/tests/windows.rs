//! Windows are marked as the instance's whatever the guest says.

mod support;

use support::{
    compositor::Request,
    desktop,
    wire::{Arg, Peer, message},
};

const GLOBALS: [(&str, u32); 3] = [("wl_compositor", 4), ("xdg_wm_base", 2), ("wl_output", 2)];
const SET_TITLE: u16 = 2;
const SET_APP_ID: u16 = 3;

fn toplevel(client: &mut Peer) {
    let globals = client.globals();
    client.bind_offered(&globals, "wl_compositor", 4);
    client.bind_offered(&globals, "xdg_wm_base", 5);
    client.send(&message(4, 0, &[Arg::Word(6)]));
    client.send(&message(5, 2, &[Arg::Word(7), Arg::Word(6)]));
    client.send(&message(7, 1, &[Arg::Word(8)]));
    client.sync(9);
}

fn texts(requests: &[Request], opcode: u16) -> Vec<String> {
    let toplevel = requests.last().expect("requests").message.object;
    let said = requests.iter().map(|request| &request.message);
    said.filter(|it| it.object == toplevel && it.opcode == opcode)
        .map(|it| it.text(0))
        .collect()
}

#[test]
fn a_window_is_marked_before_the_guest_says_anything() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    toplevel(&mut lens.connect());
    assert_eq!(texts(&compositor.requests(), SET_TITLE), ["[foot@work] "]);
    assert_eq!(
        texts(&compositor.requests(), SET_APP_ID),
        ["cloche.foot.work"]
    );
}

#[test]
fn titles_keep_the_prefix_and_app_ids_are_the_lenss() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    toplevel(&mut client);
    client.send(&message(8, SET_APP_ID, &[Arg::Text("org.mozilla.firefox")]));
    client.send(&message(8, SET_TITLE, &[Arg::Text("Bank\n\u{202e}kcatta")]));
    client.send(&message(8, SET_TITLE, &[Arg::Text(&"x".repeat(4000))]));
    client.sync(10);
    let titles = texts(&compositor.requests(), SET_TITLE);
    assert_eq!(titles[1], "[foot@work] Bankkcatta");
    assert_eq!(titles[2], format!("[foot@work] {}", "x".repeat(256)));
    assert_eq!(
        texts(&compositor.requests(), SET_APP_ID),
        ["cloche.foot.work"]
    );
}

#[test]
fn outputs_do_not_tell_the_users_hardware() {
    let (_folder, compositor, lens) = desktop(&GLOBALS, &[]);
    let mut client = lens.connect();
    let globals = client.globals();
    client.bind_offered(&globals, "wl_output", 4);
    client.sync(5);
    let bound = compositor.requests();
    let id = bound[0].message.word(bound[0].message.body.len() / 4 - 1);
    let w = Arg::Word;
    let geometry = [
        w(0),
        w(0),
        w(1),
        w(1),
        w(0),
        Arg::Text("Dell"),
        Arg::Text("U27 serial 5"),
        w(0),
    ];
    compositor.send(bound[0].connection, &message(id, 0, &geometry), None);
    let mut event = client.receive().expect("an event");
    while event.object != 4 {
        event = client.receive().expect("geometry");
    }
    assert_eq!(
        (event.object, event.text(5).as_str(), event.text(8).as_str()),
        (4, "cloche", "display")
    );
}
