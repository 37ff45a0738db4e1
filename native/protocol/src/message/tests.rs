use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::control::{ControlFromGuest, ControlToGuest};
use crate::exec::{ExecFromGuest, ExecToGuest, SignalName};

fn from_bytes<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, MessageError> {
    parse(&Frame {
        kind: Kind::Json,
        payload: bytes.to_vec(),
    })
}

fn from_json<M: DeserializeOwned>(value: serde_json::Value) -> Result<M, MessageError> {
    from_bytes(value.to_string().as_bytes())
}

fn configure() -> serde_json::Value {
    json!({
        "type": "configure", "hostname": "foot", "machineId": "0123456789abcdef0123456789abcdef",
        "clockUnixNs": "1795390000000000000", "seed": "", "environment": {"A": "b"},
        "mounts": [{"tag": "home", "path": "/home/user", "readOnly": false}],
        "windows": true, "portals": true,
        "network": {"address": "10.0.2.15", "prefixLength": 24, "gateway": "10.0.2.2", "dns": ["10.0.2.3"]},
    })
}

#[test]
fn messages_have_the_form_that_is_documented() {
    let exited = ExecFromGuest::Exited {
        code: Some(3),
        signal: None,
    };
    let text = serde_json::to_value(exited).expect("serializable");
    assert_eq!(text, json!({"type": "exited", "code": 3, "signal": null}));

    let signal: ExecToGuest = from_json(json!({"type": "signal", "name": "TERM"})).expect("valid");
    assert_eq!(
        signal,
        ExecToGuest::Signal {
            name: SignalName::Term
        }
    );

    let message: ControlToGuest = from_json(configure()).expect("valid");
    assert_eq!(
        serde_json::to_value(message).expect("serializable"),
        configure()
    );

    let ready = ControlFromGuest::Ready {
        timings: Vec::new(),
        renderer: None,
    };
    let text = serde_json::to_value(ready).expect("serializable");
    assert_eq!(
        text,
        json!({"type": "ready", "timings": [], "renderer": null})
    );
}

#[test]
fn unknown_types_are_refused() {
    assert!(from_json::<ControlFromGuest>(json!({"type": "helo"})).is_err());
    assert!(from_json::<ControlToGuest>(json!({"type": "hello"})).is_err());
    assert!(from_json::<ExecToGuest>(json!({})).is_err());
    assert!(from_json::<ExecToGuest>(json!({"type": 1})).is_err());
}

#[test]
fn unknown_fields_are_refused_at_every_depth() {
    assert!(from_json::<ExecToGuest>(json!({"type": "stdin-eof", "x": 1})).is_err());
    assert!(
        from_json::<ExecToGuest>(json!({"type": "resize", "columns": 1, "rows": 1, "x": 1}))
            .is_err()
    );
    for pointer in ["", "/mounts/0", "/network"] {
        let mut message = configure();
        message
            .pointer_mut(pointer)
            .and_then(|v| v.as_object_mut())
            .expect("object")
            .insert("x".into(), json!(1));
        assert!(from_json::<ControlToGuest>(message).is_err(), "{pointer}");
    }
}

#[test]
fn repeated_fields_are_refused() {
    assert!(
        from_bytes::<ExecToGuest>(br#"{"type":"resize","columns":1,"columns":2,"rows":1}"#)
            .is_err()
    );
    assert!(from_bytes::<ExecToGuest>(br#"{"type":"stdin-eof","type":"stdin-eof"}"#).is_err());
}

#[test]
fn numbers_out_of_range_are_refused() {
    for columns in [json!(65536), json!(-1), json!(1.5), json!("1")] {
        assert!(
            from_json::<ExecToGuest>(json!({"type": "resize", "columns": columns, "rows": 1}))
                .is_err()
        );
    }
}

#[test]
fn invalid_utf8_is_refused() {
    assert!(
        from_bytes::<ControlFromGuest>(
            b"{\"type\":\"log\",\"level\":\"info\",\"message\":\"\xff\"}"
        )
        .is_err()
    );
}

#[test]
fn trailing_bytes_and_deep_nesting_are_refused() {
    assert!(from_bytes::<ExecToGuest>(b"{\"type\":\"stdin-eof\"}{}").is_err());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(from_bytes::<ExecToGuest>(deep.as_bytes()).is_err());
}

#[test]
fn a_message_in_a_frame_of_another_kind_is_refused() {
    let frame = Frame {
        kind: Kind::Stdin,
        payload: b"{\"type\":\"stdin-eof\"}".to_vec(),
    };
    assert!(matches!(
        parse::<ExecToGuest>(&frame),
        Err(MessageError::NotAMessage(Kind::Stdin))
    ));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = from_bytes::<ControlToGuest>(&bytes);
        let _ = from_bytes::<ExecToGuest>(&bytes);
    }

    #[test]
    fn any_log_line_survives_the_way(message in "\\PC*") {
        let sent = ControlFromGuest::Log { level: crate::control::LogLevel::Info, message };
        let mut bytes = Vec::new();
        append(&sent, &mut bytes).expect("short");
        prop_assert_eq!(from_bytes::<ControlFromGuest>(&bytes[5..]).expect("valid"), sent);
    }
}
