//! Places of values in the file: what is wrong with some of them is known only once AWS has been asked.

use std::{collections::BTreeMap, path::Path};

use super::tree::{Node, Value};

/// Lines and columns of the values under keys. They say nothing about the stack: two of these are always equal.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<Vec<String>, (usize, usize)>);

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Places {}

impl Places {
    /// Collects the places of a tree.
    pub(super) fn of(root: &Node, source: &str) -> Self {
        let lines: Vec<usize> = std::iter::once(0).chain(source.match_indices('\n').map(|(end, _)| end + 1)).collect();
        let mut places = Self::default();
        places.add(root, &mut Vec::new(), &|offset| {
            let line = lines.partition_point(|start| *start <= offset);
            let start = line.checked_sub(1).and_then(|index| lines.get(index)).copied().unwrap_or_default();
            (line, source.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
        });
        places
    }

    /// Adds what is below a node. The recursion is bounded, since the file's depth is.
    fn add(&mut self, node: &Node, path: &mut Vec<String>, position: &dyn Fn(usize) -> (usize, usize)) {
        let Value::Map(entries) = &node.value else { return };
        for (key, value) in entries {
            path.push(key.name.clone());
            self.0.insert(path.clone(), position(value.span.start));
            self.add(value, path, position);
            path.pop();
        }
    }

    /// Returns the place of the value under a path of keys, as `FILE:LINE:COLUMN`; the file alone if it is not there.
    ///
    /// ```
    /// # use std::path::Path;
    /// use declaration::Declaration;
    ///
    /// let file = Path::new("infra.yaml");
    /// let source = b"stack: mail\nregion: eu-west-1\nsecrets:\n  token: {existing: netbox/token}\n";
    /// let checked = Declaration::parse(file, source, None)?;
    /// let places = &checked.declarations[0].places;
    /// assert_eq!(places.show(file, &["secrets", "token", "existing"]), "infra.yaml:4:21");
    /// assert_eq!(places.show(file, &["kms_key"]), "infra.yaml");
    /// # Ok::<(), declaration::DeclarationError>(())
    /// ```
    pub fn show(&self, file: &Path, path: &[&str]) -> String {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        match self.0.get(&path) {
            Some((line, column)) => format!("{}:{line}:{column}", file.display()),
            None => file.display().to_string(),
        }
    }
}
