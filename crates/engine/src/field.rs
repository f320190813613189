//! The fields of a kind's settings: how a change of each is treated, and what is lost by it.

use serde::Serialize;
use serde_json::Value;

/// A field, by its path: `public_access.block_policy`. `tags.*` is every path below `tags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Path in the settings.
    pub path: &'static str,
    /// Treatment of a change.
    pub treatment: Treatment,
    /// Relation of its value to the life of data; `None` if its name does not suggest any.
    pub life: Option<Life>,
    /// Makers of its items.
    pub makers: Makers,
    /// Treatment of the children that it is for; `None` if it is for a setting.
    pub child: Option<OfChildren>,
}

/// The treatment of children: parts that others add to a resource, and that are never declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OfChildren {
    /// Harm that they do.
    pub harm: Harm,
    /// `true` if others use the resource through them, and lose something when the resource is deleted.
    pub is_used: bool,
    /// Name of the kind that some of them are declared as; those are compared as resources of that kind. `None` if no child is ever declared.
    pub declared_as: Option<&'static str>,
    /// Description of one of them, in words.
    pub is_what: &'static str,
}

/// The harm that children do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// They open the resource to others, or carry data out of it: they are drift.
    Severe,
    /// They do neither: they are kept and shown.
    None,
    /// Some do and some do not: each child says so itself.
    Depends,
}

/// The relation of a field's value to the life of data: how long data exists before it is deleted or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// No value of it ends the life of data.
    Unrelated,
    /// Time after which data is deleted: a shorter one, or one where there was none, shortens its life.
    Ends,
    /// Times after which data is deleted, by the beginning of its name, and by `*` for all data. If several cover a name, the shortest
    /// counts.
    EndsBelow,
    /// Time for which deleted data can be restored: a shorter time, or none where there was one, shortens its life.
    Recovers,
    /// Switch that keeps data: switching it off shortens the life of data.
    Keeps,
    /// Destination of data that would be lost otherwise: none where there was one shortens its life.
    Catches,
    /// Time or number of tries after which data is lost, unless the field of this path names a destination for it: less of it shortens
    /// its life.
    EndsUncaught(&'static str),
}

/// The makers of a field's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makers {
    /// The stack, or somebody who cannot be told from it.
    Stack,
    /// Others, too: the stack's own items have names that begin like one of these, and none if there are none. The name of a map's
    /// item is its key, that of a list's item its text, or the `action` that it states.
    Others(&'static [&'static str]),
}

impl Life {
    /// Returns `true` if a change from the live value to the declared one shortens the life of data, where nothing catches it.
    ///
    /// ```
    /// use engine::Life;
    /// use serde_json::json;
    ///
    /// assert!(Life::Ends.is_shortened(&json!(null), &json!(30)));
    /// assert!(!Life::Ends.is_shortened(&json!(30), &json!(null)));
    /// assert!(Life::Recovers.is_shortened(&json!(7), &json!(null)));
    /// assert!(Life::Keeps.is_shortened(&json!(true), &json!(false)));
    /// assert!(Life::Catches.is_shortened(&json!("queue"), &json!(null)));
    /// assert!(!Life::Catches.is_shortened(&json!("queue"), &json!("other")));
    /// ```
    pub fn is_shortened(self, live: &Value, declared: &Value) -> bool {
        // A value that is neither a number nor none is not understood, and counts as shorter.
        let number = |value: &Value, none: f64| if value.is_null() { Some(none) } else { value.as_f64() };
        let is_less = |none: f64| match (number(live, none), number(declared, none)) {
            (Some(live), Some(declared)) => declared < live,
            _ => live != declared,
        };
        match self {
            Self::Unrelated => false,
            Self::Ends | Self::EndsBelow => is_less(f64::INFINITY),
            Self::Recovers | Self::EndsUncaught(_) => is_less(0.0),
            Self::Keeps => *live == Value::Bool(true) && live != declared,
            Self::Catches => !live.is_null() && declared.is_null(),
        }
    }
}

/// Returns the shortest of some times by the beginnings of names that covers every name with this beginning; null if none does.
///
/// ```
/// use engine::shortest_above;
/// use serde_json::json;
///
/// let times = json!({"*": 400, "inbound/": 30});
/// assert_eq!(shortest_above(&times, "inbound/old/"), json!(30));
/// assert_eq!(shortest_above(&times, "calendar/"), json!(400));
/// assert_eq!(shortest_above(&json!({"inbound/": 30}), "*"), json!(null));
/// ```
pub fn shortest_above(times: &Value, beginning: &str) -> Value {
    let covers = |key: &str| key == "*" || key == beginning || (beginning != "*" && beginning.starts_with(key));
    let covering = times.as_object().into_iter().flatten().filter(|(key, _)| covers(key));
    let shortest = covering.filter_map(|(_, time)| Some((time.as_f64()?, time)));
    shortest.min_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, time)| time.clone()).unwrap_or_default()
}

impl Makers {
    /// Returns the names of the items that are live, not declared, and none of the stack's.
    pub fn others(self, live: &Value, declared: &Value) -> Vec<String> {
        let Self::Others(own) = self else { return Vec::new() };
        let is_theirs = |name: &String| !own.iter().any(|beginning| name.starts_with(beginning));
        let surplus: Vec<String> = match (live, declared) {
            (Value::Object(live), _) => {
                let is_surplus = |key: &&String| declared.get(key.as_str()).is_none_or(Value::is_null);
                let present = live.iter().filter(|(_, item)| !item.is_null()).map(|(key, _)| key);
                present.filter(is_surplus).cloned().collect()
            }
            (Value::Array(live), _) => {
                let is_surplus = |item: &&Value| declared.as_array().is_none_or(|declared| !declared.contains(item));
                live.iter().filter(is_surplus).map(name_of).collect()
            }
            (Value::Null, _) => Vec::new(),
            // One value: what was there goes, whatever comes in its place.
            (one, other) if one != other => vec![name_of(one)],
            _ => Vec::new(),
        };
        surplus.into_iter().filter(is_theirs).collect()
    }
}

/// Returns the name of a list's item, or of a value.
fn name_of(item: &Value) -> String {
    let text = item.get("action").unwrap_or(item);
    text.as_str().map_or_else(|| text.to_string(), str::to_owned)
}

/// The treatments of a field's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Changed by itself, in place.
    Plain,
    /// AWS changes these fields together: a change of one may show as a change of any of them.
    Coupled(&'static [&'static str]),
    /// AWS cannot change it: the resource is replaced, for this reason.
    Immutable(&'static str),
}

/// Returns a field that can be changed by itself.
pub const fn plain(path: &'static str) -> Field {
    Field::new(path, Treatment::Plain)
}

/// Returns a field that AWS changes together with others.
pub const fn coupled(path: &'static str, set: &'static [&'static str]) -> Field {
    Field::new(path, Treatment::Coupled(set))
}

/// Returns a field that changes only by a replacement.
pub const fn immutable(path: &'static str, reason: &'static str) -> Field {
    Field::new(path, Treatment::Immutable(reason))
}

/// Returns a field for children that open the resource, or carry data out of it.
pub const fn severe(path: &'static str, is_what: &'static str) -> Field {
    Field::of_children(path, Harm::Severe, is_what)
}

/// Returns a field for harmless children, which are kept and shown.
pub const fn stays(path: &'static str, is_what: &'static str) -> Field {
    Field::of_children(path, Harm::None, is_what)
}

/// Returns a field for children of which some are harmful: each says so itself, see [`crate::Child`].
pub const fn depends(path: &'static str, is_what: &'static str) -> Field {
    Field::of_children(path, Harm::Depends, is_what)
}

impl Field {
    const fn new(path: &'static str, treatment: Treatment) -> Self {
        Self { path, treatment, life: None, makers: Makers::Stack, child: None }
    }

    const fn of_children(path: &'static str, harm: Harm, is_what: &'static str) -> Self {
        Self {
            life: Some(Life::Unrelated),
            makers: Makers::Others(&[]),
            child: Some(OfChildren { harm, is_used: false, declared_as: None, is_what }),
            ..plain(path)
        }
    }

    /// Returns the field as one of children some of which are declared, as resources of this kind within their own.
    #[must_use]
    pub const fn declared_as(self, kind: &'static str) -> Self {
        match self.child {
            Some(child) => Self { child: Some(OfChildren { declared_as: Some(kind), ..child }), ..self },
            None => self,
        }
    }

    /// Returns the field as one of children that others use the resource through: without it, they lose something.
    #[must_use]
    pub const fn used(self) -> Self {
        match self.child {
            Some(child) => Self { child: Some(OfChildren { is_used: true, ..child }), ..self },
            None => self,
        }
    }

    /// Returns the field with its relation to the life of data.
    #[must_use]
    pub const fn with_life(self, life: Life) -> Self {
        Self { life: Some(life), ..self }
    }

    /// Returns the field as one to which others add items, too: names of the stack's own begin like one of these.
    #[must_use]
    pub const fn shared(self, own: &'static [&'static str]) -> Self {
        Self { makers: Makers::Others(own), ..self }
    }

    /// Returns `true` if a path belongs to this field.
    pub fn covers(&self, path: &str) -> bool {
        match self.path.strip_suffix(".*") {
            Some(above) => path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            None => path == self.path,
        }
    }
}
