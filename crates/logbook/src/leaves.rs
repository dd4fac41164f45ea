//! The leaves of an entry's action, read off its JSON without building a tree of it.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// JSON pointer and canonical JSON of each scalar, or empty object or array.
pub(crate) type Leaves = Vec<(String, String)>;

const ROOT: &str = "/action";

/// The leaves of the member `action`, sorted by pointer; where it is missing, it is null. Of a member that
/// stands twice the last one counts, as everywhere in JSON that is read leniently.
pub(crate) fn of(bytes: &[u8]) -> Result<Leaves, serde_json::Error> {
    let mut leaves = Vec::with_capacity(24);
    let mut from = serde_json::Deserializer::from_slice(bytes);
    from.deserialize_any(Outer(&mut leaves))?;
    from.end()?;
    if leaves.is_empty() {
        leaves.push((ROOT.to_owned(), Value::Null.to_string()));
    }
    leaves.sort();
    Ok(leaves)
}

/// What holds the action.
struct Outer<'a>(&'a mut Leaves);

impl<'de> Visitor<'de> for Outer<'_> {
    type Value = ();
    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an entry")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name == "action" {
                self.0.clear();
                map.next_value_seed(Inner { path: &mut ROOT.to_owned(), into: self.0 })?;
            } else {
                map.next_value::<Value>()?;
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<Value>()?.is_some() {}
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A value at a path.
struct Inner<'a> {
    path: &'a mut String,
    into: &'a mut Leaves,
}

impl Inner<'_> {
    fn leaf(self, value: String) {
        self.into.push((self.path.clone(), value));
    }
}

impl<'de> DeserializeSeed<'de> for Inner<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inner<'_> {
    type Value = ();
    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (length, first) = (self.path.len(), self.into.len());
        let mut names = HashSet::new();
        while let Some(Name(())) = map.next_key_seed(NameOf(self.path))? {
            if !names.insert(self.path[length..].to_owned()) {
                forget(self.into, first, self.path);
            }
            map.next_value_seed(Inner { path: self.path, into: self.into })?;
            self.path.truncate(length);
        }
        if names.is_empty() {
            self.leaf("{}".to_owned());
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let length = self.path.len();
        let mut index = 0usize;
        loop {
            self.path.push('/');
            self.path.push_str(&index.to_string());
            let more = seq.next_element_seed(Inner { path: self.path, into: self.into })?;
            self.path.truncate(length);
            if more.is_none() {
                break;
            }
            index += 1;
        }
        if index == 0 {
            self.leaf("[]".to_owned());
        }
        Ok(())
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.leaf(value.to_string());
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.leaf(value.to_string());
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.leaf(value.to_string());
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.leaf(Value::from(value).to_string());
        Ok(())
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.leaf(serde_json::to_string(value).map_err(E::custom)?);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.leaf(Value::Null.to_string());
        Ok(())
    }
}

/// Takes out, from a place on, what stands at a path or below.
fn forget(leaves: &mut Leaves, from: usize, path: &str) {
    let mut at = 0;
    leaves.retain(|(leaf, _)| {
        at += 1;
        at <= from || !leaf.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
}

/// A member's name, put behind the path as a JSON pointer has it (RFC 6901).
struct NameOf<'a>(&'a mut String);
struct Name(());

impl<'de> DeserializeSeed<'de> for NameOf<'_> {
    type Value = Name;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Name, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for NameOf<'_> {
    type Value = Name;
    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        self.0.push('/');
        for c in name.chars() {
            match c {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                c => self.0.push(c),
            }
        }
        Ok(Name(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same off a tree of values.
    fn plainly(bytes: &[u8]) -> Option<Leaves> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let mut leaves = Vec::new();
        collect(value.get("action").unwrap_or(&Value::Null), ROOT, &mut leaves);
        leaves.sort();
        Some(leaves)
    }

    fn collect(value: &Value, path: &str, into: &mut Leaves) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    collect(member, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), into);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    collect(item, &format!("{path}/{index}"), into);
                }
            }
            leaf => into.push((path.to_owned(), leaf.to_string())),
        }
    }

    /// JSON text in which names often stand twice.
    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|b| b.to_string()),
            any::<i64>().prop_map(|n| n.to_string()),
            any::<u64>().prop_map(|n| n.to_string()),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| Value::from(n).to_string()),
            any::<String>().prop_map(|s| Value::from(s).to_string()),
            Just("{}".to_owned()),
            Just("[]".to_owned()),
        ];
        scalar.prop_recursive(4, 40, 5, |inner| {
            let name = prop_oneof![Just("a".to_owned()), Just("a~/b".to_owned()), Just(String::new()), ".{0,3}"];
            let member = (name, inner.clone()).prop_map(|(name, value)| format!("{}:{value}", Value::from(name)));
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn they_are_those_of_a_tree_of_values(one in json(), other in json(), twice in any::<bool>()) {
            let more = if twice { format!(",\"action\":{other}") } else { String::new() };
            let text = format!("{{\"v\":1,\"action\":{one},\"x\":{other}{more}}}");
            prop_assert_eq!(of(text.as_bytes()).ok(), plainly(text.as_bytes()));
            prop_assert_eq!(of(one.as_bytes()).ok(), plainly(one.as_bytes()));
        }

        #[test]
        fn what_is_no_json_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(of(&bytes).ok(), plainly(&bytes));
        }
    }
}
