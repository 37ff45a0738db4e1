//! D-Bus values as JSON and back, as cloche_protocol::portals says.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use zbus::wire::{Array, Dict, ObjectPath, Signature, Str, Structure, StructureBuilder, Variant};

#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    #[error("a value of type {0} has no place in a portal's message")]
    Type(String),
    #[error("{0} is not a value of type {1}")]
    Mismatch(String, String),
    #[error("no session has the path {0}")]
    Session(String),
    #[error(transparent)]
    Wire(#[from] zbus::Error),
}

/// What file descriptors and session paths are on the link.
pub trait Names {
    /// The index of a descriptor that a program sent.
    fn index_of(&mut self, descriptor: std::os::fd::BorrowedFd<'_>) -> u32;
    fn session_of(&self, path: &str) -> Option<u32>;
    fn path_of(&self, session: u32) -> Option<String>;
}

pub fn to_json(value: &Variant<'_>, names: &mut impl Names) -> Result<Json, ValueError> {
    Ok(match value {
        Variant::U8(number) => json!(number),
        Variant::Bool(truth) => json!(truth),
        Variant::I16(number) => json!(number),
        Variant::U16(number) => json!(number),
        Variant::I32(number) => json!(number),
        Variant::U32(number) => json!(number),
        Variant::I64(number) => json!(number.to_string()),
        Variant::U64(number) => json!(number.to_string()),
        Variant::F64(number) if number.is_finite() => json!(number),
        Variant::Str(text) => json!(text.as_str()),
        Variant::Signature(signature) => json!(signature.to_string()),
        Variant::ObjectPath(path) => {
            let session = names.session_of(path.as_str());
            json!(session.ok_or_else(|| ValueError::Session(path.to_string()))?)
        }
        Variant::Variant(inner) => variant_to_json(inner, names)?,
        Variant::Array(array) if *array.element_signature() == Signature::U8 => {
            let bytes = array.iter().filter_map(|element| match element {
                Variant::U8(byte) => Some(*byte),
                _ => None,
            });
            let bytes: Vec<u8> = bytes.collect();
            json!(STANDARD.encode(bytes))
        }
        Variant::Array(array) => list_to_json(array.inner(), names)?,
        Variant::Structure(structure) => list_to_json(structure.fields(), names)?,
        Variant::Dict(dict) => {
            let mut object = serde_json::Map::new();
            for (key, value) in dict.iter() {
                let Variant::Str(key) = key else {
                    return Err(type_error(key));
                };
                object.insert(key.to_string(), to_json(value, names)?);
            }
            Json::Object(object)
        }
        Variant::Fd(descriptor) => {
            use std::os::fd::AsFd;
            json!(names.index_of(descriptor.as_fd()))
        }
        other => return Err(type_error(other)),
    })
}

fn variant_to_json(inner: &Variant<'_>, names: &mut impl Names) -> Result<Json, ValueError> {
    Ok(json!({"type": inner.value_signature().to_string(), "data": to_json(inner, names)?}))
}

pub fn list_to_json(values: &[Variant<'_>], names: &mut impl Names) -> Result<Json, ValueError> {
    let values = values.iter().map(|value| to_json(value, names));
    Ok(Json::Array(values.collect::<Result<_, _>>()?))
}

fn type_error(value: &Variant<'_>) -> ValueError {
    ValueError::Type(value.value_signature().to_string())
}

/// The value of type `signature` that `json` says.
pub fn from_json(
    json: &Json,
    signature: &Signature,
    names: &impl Names,
) -> Result<Variant<'static>, ValueError> {
    let mismatch = || ValueError::Mismatch(clip(&json.to_string()), signature.to_string());
    let signed = || json.as_i64().ok_or_else(mismatch);
    let unsigned = || json.as_u64().ok_or_else(mismatch);
    let text = || json.as_str().ok_or_else(mismatch);
    let number = |error: std::num::TryFromIntError| {
        let _ = error;
        mismatch()
    };
    Ok(match signature {
        Signature::U8 => Variant::U8(unsigned()?.try_into().map_err(number)?),
        Signature::Bool => Variant::Bool(json.as_bool().ok_or_else(mismatch)?),
        Signature::I16 => Variant::I16(signed()?.try_into().map_err(number)?),
        Signature::U16 => Variant::U16(unsigned()?.try_into().map_err(number)?),
        Signature::I32 => Variant::I32(signed()?.try_into().map_err(number)?),
        Signature::U32 => Variant::U32(unsigned()?.try_into().map_err(number)?),
        Signature::I64 => Variant::I64(text()?.parse().map_err(|_| mismatch())?),
        Signature::U64 => Variant::U64(text()?.parse().map_err(|_| mismatch())?),
        Signature::F64 => Variant::F64(json.as_f64().ok_or_else(mismatch)?),
        Signature::Str => Variant::Str(Str::from(text()?.to_owned())),
        Signature::ObjectPath => {
            let session = unsigned()?.try_into().map_err(number)?;
            let path = names.path_of(session).ok_or_else(mismatch)?;
            Variant::ObjectPath(ObjectPath::try_from(path).map_err(|_| mismatch())?)
        }
        Signature::Variant => Variant::Variant(Box::new(variant_from_json(json, names)?)),
        Signature::Array(element) if **element == Signature::U8 => {
            let bytes = STANDARD.decode(text()?).map_err(|_| mismatch())?;
            Variant::Array(Array::from(bytes))
        }
        Signature::Array(element) => {
            let mut array = Array::new(element);
            for json in json.as_array().ok_or_else(mismatch)? {
                array.append(from_json(json, element, names)?)?;
            }
            Variant::Array(array)
        }
        Signature::Dict { key, value } => {
            let mut dict = Dict::new(key, value);
            for (name, json) in json.as_object().ok_or_else(mismatch)? {
                let name = Variant::Str(Str::from(name.clone()));
                dict.append(name, from_json(json, value, names)?)?;
            }
            Variant::Dict(dict)
        }
        Signature::Structure(fields) => {
            let values = json.as_array().ok_or_else(mismatch)?;
            let signatures: Vec<&Signature> = fields.iter().collect();
            Variant::Structure(structure_of(values, &signatures, names)?)
        }
        other => return Err(ValueError::Type(other.to_string())),
    })
}

/// A variant's content, from `{"type", "data"}`.
pub fn variant_from_json(json: &Json, names: &impl Names) -> Result<Variant<'static>, ValueError> {
    let mismatch = || ValueError::Mismatch(clip(&json.to_string()), "v".to_owned());
    let (Some(signature), Some(data)) = (json.get("type").and_then(Json::as_str), json.get("data"))
    else {
        return Err(mismatch());
    };
    let signature = Signature::try_from(signature).map_err(|_| mismatch())?;
    from_json(data, &signature, names)
}

/// The `a{sv}` of variants by name.
pub fn dict_from_json(
    values: &BTreeMap<String, Json>,
    names: &impl Names,
) -> Result<Dict<'static, 'static>, ValueError> {
    let mut dict = Dict::new(&Signature::Str, &Signature::Variant);
    for (name, json) in values {
        let value = Variant::Variant(Box::new(variant_from_json(json, names)?));
        dict.append(Variant::Str(Str::from(name.clone())), value)?;
    }
    Ok(dict)
}

/// A message's body, which is not empty: one value for each complete type of `signature`.
pub fn body_from_json(
    values: &[Json],
    signature: &str,
    names: &impl Names,
) -> Result<Structure<'static>, ValueError> {
    match Signature::try_from(format!("({signature})").as_str()) {
        Ok(Signature::Structure(fields)) => {
            let signatures: Vec<&Signature> = fields.iter().collect();
            structure_of(values, &signatures, names)
        }
        _ => Err(ValueError::Type(signature.to_owned())),
    }
}

fn structure_of(
    values: &[Json],
    signatures: &[&Signature],
    names: &impl Names,
) -> Result<Structure<'static>, ValueError> {
    if values.len() != signatures.len() {
        let said = format!("{} values for {} types", values.len(), signatures.len());
        return Err(ValueError::Mismatch(said, "()".to_owned()));
    }
    let mut builder = StructureBuilder::new();
    for (json, signature) in values.iter().zip(signatures) {
        builder.push_value(from_json(json, signature, names)?);
    }
    Ok(builder.build()?)
}

/// Short enough for a message.
fn clip(text: &str) -> String {
    const MAX_CHARACTERS: usize = 80;
    text.chars().take(MAX_CHARACTERS).collect()
}

#[cfg(test)]
mod tests;
