//! The part of a kind that tests of plans have in common: settings are a tree, and there is no account to call.

/// Implements, within `impl Kind` whose settings are a JSON value, all that a plan does not depend on.
macro_rules! planned_only {
    () => {
        fn tree(settings: &serde_json::Value) -> serde_json::Value {
            settings.clone()
        }

        async fn read(
            self,
            (): &(),
            _: &$crate::Address,
        ) -> Result<Option<$crate::Live<serde_json::Value>>, $crate::Failure> {
            Ok(None)
        }

        async fn create(_: &serde_json::Value, (): &(), _: &$crate::Address) -> Result<(), $crate::Failure> {
            Ok(())
        }

        async fn update(
            _: &serde_json::Value,
            (): &(),
            _: &$crate::Address,
            _: &serde_json::Value,
        ) -> Result<(), $crate::Failure> {
            Ok(())
        }

        async fn delete(self, (): &(), _: &$crate::Address) -> Result<(), $crate::Failure> {
            Ok(())
        }

        fn keep_protections(_: &mut serde_json::Value, _: &serde_json::Value) -> Vec<$crate::Protection> {
            Vec::new()
        }

        fn interim(desired: &serde_json::Value, _: &serde_json::Value) -> serde_json::Value {
            desired.clone()
        }

        fn widenings(_: Option<&serde_json::Value>, _: &serde_json::Value) -> Vec<$crate::Widening> {
            Vec::new()
        }

        fn slow(_: Option<&serde_json::Value>, _: &serde_json::Value) -> Option<$crate::Slow> {
            None
        }

        async fn forget((): &()) {}

        fn created_at(_: &serde_json::Value) -> Option<std::time::SystemTime> {
            None
        }

        async fn holds_data(self, (): &(), _: &$crate::Address) -> Result<Option<String>, $crate::Failure> {
            Ok(None)
        }

        async fn list_owned(self, (): &()) -> Result<Vec<$crate::Owned>, $crate::Failure> {
            Ok(Vec::new())
        }
    };
}

pub(crate) use planned_only;
