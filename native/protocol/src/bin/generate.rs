//! Writes protocol.ts and protocol.schema.json into the directory given: `generate OUTDIR`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use cloche_protocol::frame::{self, Kind};
use cloche_protocol::{
    CONTROL_PORT, EXEC_PORT, MEDIA_PORT, PORTALS_PORT, PROTOCOL_VERSION, STDIN_WINDOW, control,
    exec, portals,
};
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};
use ts_rs::TS;

const NOTICE: &str =
    "// Messages between host and guest. Generated from native/protocol; do not edit.";

fn main() -> ExitCode {
    let Some(outdir) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: generate OUTDIR");
        return ExitCode::from(2);
    };
    let files = [
        ("protocol.ts", typescript()),
        ("protocol.schema.json", schema()),
    ];
    for (name, text) in files {
        let path = outdir.join(name);
        if let Err(error) = fs::create_dir_all(&outdir).and_then(|()| fs::write(&path, text)) {
            eprintln!("generate: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn typescript() -> String {
    fn declare<T: TS>() -> String {
        let config = ts_rs::Config::default();
        let docs = T::docs().unwrap_or_default();
        format!("{docs}export {}\n", T::decl(&config))
    }
    let constants = [
        format!("export const protocolVersion = {PROTOCOL_VERSION};"),
        "/** vsock ports: control, portals and media are connected to by the guest, exec by the host. */"
            .into(),
        format!(
            "export const linkPort = {{ control: {CONTROL_PORT}, exec: {EXEC_PORT}, portals: {PORTALS_PORT}, media: {MEDIA_PORT} }} as const;"
        ),
        "/** Bytes of input that may be on the way to a session with `stdinCredit`. */".into(),
        format!("export const stdinWindowBytes = {STDIN_WINDOW};"),
        "/** Bytes after the length field of a frame: the kind and the payload. */".into(),
        format!("export const maxFrameBytes = {};", frame::MAX_LENGTH),
        format!(
            "export const frameKind = {{ json: {}, stdin: {}, stdout: {}, stderr: {} }} as const;",
            Kind::Json as u8,
            Kind::Stdin as u8,
            Kind::Stdout as u8,
            Kind::Stderr as u8
        ),
    ];
    let types = [
        declare::<control::ControlFromGuest>(),
        declare::<control::StageTiming>(),
        declare::<control::LogLevel>(),
        declare::<control::ControlToGuest>(),
        declare::<control::Configuration>(),
        declare::<control::Mount>(),
        declare::<control::Network>(),
        declare::<exec::ExecToGuest>(),
        declare::<exec::Command>(),
        declare::<exec::Terminal>(),
        declare::<exec::UserName>(),
        declare::<exec::SignalName>(),
        declare::<exec::ExecFromGuest>(),
        declare::<portals::PortalsFromGuest>(),
        declare::<portals::GuestFile>(),
        declare::<portals::PortalsToGuest>(),
        declare::<portals::Interface>(),
        declare::<portals::MethodTypes>(),
        declare::<portals::PortalObject>(),
    ];
    format!(
        "{NOTICE}\n\n{}\n\n{}",
        constants.join("\n"),
        types.join("\n")
    )
}

/// One document; each direction is a definition of its own under `$defs`.
fn schema() -> String {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = "/$defs".into();
        });
    let mut generator = settings.with_transform(DropFormats).into_generator();
    fn add<T: JsonSchema>(generator: &mut schemars::SchemaGenerator) {
        generator.subschema_for::<T>();
    }
    add::<control::ControlFromGuest>(&mut generator);
    add::<control::ControlToGuest>(&mut generator);
    add::<exec::ExecToGuest>(&mut generator);
    add::<exec::ExecFromGuest>(&mut generator);
    add::<portals::PortalsFromGuest>(&mut generator);
    add::<portals::PortalsToGuest>(&mut generator);
    let definitions = generator.take_definitions(true);
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "cloche-protocol",
        "$defs": Value::Object(definitions),
    });
    format!("{document:#}\n")
}

/// Validators in strict mode refuse formats they don't know (uint32); the bounds say the same.
#[derive(Clone)]
struct DropFormats;

impl Transform for DropFormats {
    fn transform(&mut self, schema: &mut Schema) {
        schema.remove("format");
        transform_subschemas(self, schema);
    }
}
