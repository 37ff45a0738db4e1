use proptest::prelude::*;

use super::*;

struct NoNames;

impl Names for NoNames {
    fn index_of(&mut self, _: std::os::fd::BorrowedFd<'_>) -> u32 {
        7
    }
    fn session_of(&self, path: &str) -> Option<u32> {
        (path == "/known").then_some(3)
    }
    fn path_of(&self, session: u32) -> Option<String> {
        (session == 3).then(|| "/known".to_owned())
    }
}

fn round_trip(value: &Variant<'_>) {
    let json = to_json(value, &mut NoNames).expect("has a place");
    let back = from_json(&json, value.value_signature(), &NoNames).expect("is what was written");
    assert_eq!(&back, value, "{json}");
}

fn values() -> impl Strategy<Value = Variant<'static>> {
    let leaf = prop_oneof![
        any::<u8>().prop_map(Variant::U8),
        any::<bool>().prop_map(Variant::Bool),
        any::<i16>().prop_map(Variant::I16),
        any::<u32>().prop_map(Variant::U32),
        any::<i64>().prop_map(Variant::I64),
        any::<u64>().prop_map(Variant::U64),
        (-1e9..1e9f64).prop_map(Variant::F64),
        "[^\0]{0,20}".prop_map(|text| Variant::Str(Str::from(text))),
        prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| Variant::Array(Array::from(bytes))),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|value| Variant::Variant(Box::new(value))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|fields| {
                let mut builder = StructureBuilder::new();
                fields
                    .into_iter()
                    .for_each(|field| builder.push_value(field));
                Variant::Structure(builder.build().expect("has fields"))
            }),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|entries| {
                let mut dict = Dict::new(&Signature::Str, &Signature::Variant);
                for (key, value) in entries {
                    let value = Variant::Variant(Box::new(value));
                    dict.append(Variant::Str(Str::from(key)), value)
                        .expect("fits");
                }
                Variant::Dict(dict)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_comes_back_as_it_went(value in values()) {
        round_trip(&value);
    }

    #[test]
    fn any_json_for_any_type_is_a_value_or_an_error(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}", signature in "[a(){}svybnqiuxtdgoh]{0,12}") {
        if let (Ok(json), Ok(signature)) = (serde_json::from_str::<Json>(&text), Signature::try_from(signature.as_str())) {
            let _ = from_json(&json, &signature, &NoNames);
        }
    }
}

#[test]
fn sessions_are_numbers_on_the_link() {
    let path = |text| Variant::ObjectPath(ObjectPath::try_from(text).expect("a path"));
    assert_eq!(
        to_json(&path("/known"), &mut NoNames).expect("known"),
        json!(3)
    );
    assert!(matches!(
        to_json(&path("/other"), &mut NoNames),
        Err(ValueError::Session(_))
    ));
    assert!(from_json(&json!(4), &Signature::ObjectPath, &NoNames).is_err());
}

#[test]
fn a_body_has_one_value_for_each_type() {
    let body = body_from_json(&[json!("a"), json!(1)], "su", &NoNames).expect("fits");
    assert_eq!(body.signature().to_string(), "(su)");
    assert!(body_from_json(&[json!("a")], "su", &NoNames).is_err());
    assert!(body_from_json(&[json!("a"), json!(-1)], "su", &NoNames).is_err());
}
