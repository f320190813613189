//! `kms_key`, `permissions_boundary` and `protect`: what protects resources, of the stack and of its entries.

use std::collections::BTreeMap;

use super::{
    Declaration, Function,
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds},
};

pub(super) use super::protect_key::{PROTECT, PROTECT_DATA};

/// Returns what an entry says about its protection; `None` if it says nothing.
pub(super) fn protect(reader: &mut Reader, fields: &Fields<'_>) -> Option<bool> {
    fields.get(PROTECT.name).and_then(|_| reader.switch(fields, PROTECT.name))
}

/// The key that every entry with encryption has.
pub(super) const KMS_KEY: Field = Field::new(
    "kms_key",
    Holds::Text(scalars::KMS_KEY),
    "KMS key that encrypts it, instead of the stack's. Without either, a key that is there stays.",
);

/// The key of a function's role.
pub(super) const BOUNDARY: Field = Field::new(
    "permissions_boundary",
    Holds::Text(scalars::BOUNDARY),
    "Managed policy that limits its role, instead of the stack's. Without either, a boundary that is there stays.",
);

impl Declaration {
    /// Returns the KMS key of an entry: its own, else that of the stack.
    pub fn kms_key(&self, own: Option<&String>) -> Option<String> {
        own.or(self.kms_key.as_ref()).cloned()
    }

    /// Returns the permissions boundary of a function's role: its own, else that of the stack.
    pub fn permissions_boundary(&self, function: &Function) -> Option<String> {
        function.permissions_boundary.as_ref().or(self.permissions_boundary.as_ref()).cloned()
    }

    /// Returns every KMS key that some resource of the stack is encrypted with, each once.
    pub fn kms_keys(&self) -> Vec<String> {
        self.kms_keys_by_path().into_keys().map(str::to_owned).collect()
    }

    /// Returns every KMS key that is declared, with the path of keys to the first value that names it.
    pub fn kms_keys_by_path(&self) -> BTreeMap<&str, Vec<&str>> {
        let buckets = self.buckets.iter().filter(|(_, bucket)| bucket.existing.is_none());
        let buckets = buckets.map(|(entry, bucket)| ("buckets", entry, &bucket.kms_key));
        let secrets = self.secrets.iter().map(|(entry, secret)| ("secrets", entry, &secret.kms_key));
        let queues = self.queues.iter().map(|(entry, queue)| ("queues", entry, &queue.kms_key));
        let topics = self.topics.iter().map(|(entry, topic)| ("topics", entry, &topic.kms_key));
        let apis = self.apis.iter().map(|(entry, api)| ("apis", entry, &api.kms_key));
        let functions = self.functions.iter().map(|(entry, function)| ("functions", entry, &function.kms_key));
        let tables = self.tables.iter().map(|(entry, table)| ("tables", entry, &table.kms_key));
        let clusters = self.clusters.iter().map(|(entry, cluster)| ("clusters", entry, &cluster.kms_key));
        let own = buckets.chain(secrets).chain(queues).chain(topics).chain(apis).chain(functions);
        let databases = self.databases.iter().map(|(entry, database)| ("databases", entry, &database.kms_key));
        let caches = self.caches.iter().map(|(entry, cache)| ("caches", entry, &cache.kms_key));
        let servers = self.servers.iter().map(|(entry, server)| ("servers", entry, &server.kms_key));
        let own = own.chain(tables).chain(clusters).chain(databases).chain(caches).chain(servers);
        let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        if let Some(key) = &self.kms_key {
            keys.insert(key, vec![KMS_KEY.name]);
        }
        for (section, entry, key) in own {
            if let Some(key) = key {
                keys.entry(key).or_insert_with(|| vec![section, entry, KMS_KEY.name]);
            }
        }
        keys
    }
}
