//! HTTP APIs with their access logs, and the permissions of their routes.

use super::{Blueprint, of};
use declaration::{Api, ApiRoute};
use engine::Address;
use kinds::{
    Id, Kind,
    apigateway::{
        self,
        api::{self, Cors, LOG_FORMAT, Route, Stage},
    },
    lambda::permission,
    logs::{access_log, log_group},
};

pub(super) fn add(blueprint: &mut Blueprint<'_>) {
    for (entry, declared) in &blueprint.declaration.apis {
        access_log(blueprint, entry, declared);
        api(blueprint, entry, declared);
        for route in &declared.routes {
            permission(blueprint, entry, route);
        }
    }
}

/// Returns what stands for the id of an API.
pub(super) fn id_of(blueprint: &Blueprint<'_>, entry: &str) -> String {
    apigateway::id_of(&blueprint.names().derived(Kind::Api, entry))
}

fn access_log(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Api) {
    let settings = access_log::Settings(log_group::Settings {
        retention: Some(declared.log_retention.into()),
        kms_key: blueprint.declaration.kms_key(declared.kms_key.as_ref()),
        tags: blueprint.tags(entry, &declared.tags),
        ..log_group::Settings::default()
    });
    let address = Address::of(blueprint.names().name(Kind::AccessLog, entry));
    blueprint.add(of(Kind::AccessLog, entry), address, settings, Vec::new());
}

fn api(blueprint: &mut Blueprint<'_>, entry: &str, declared: &Api) {
    let names = blueprint.names();
    let route = |route: &ApiRoute| {
        let function = names.arn(Kind::Function, &route.invoke);
        (route.route.as_str().to_owned(), Route::to(function, route.rate, route.burst))
    };
    let settings = api::Settings {
        cors: declared.cors.as_ref().map(|cors| Cors {
            origins: cors.origins.iter().cloned().collect(),
            methods: cors.methods.iter().cloned().collect(),
            headers: cors.headers.iter().cloned().collect(),
            exposed: std::collections::BTreeSet::new(),
            max_age: Some(super::seconds(cors.max_age)).filter(|age| *age > 0),
            credentials: false,
        }),
        routes: declared.routes.iter().map(route).collect(),
        stage: Some(Stage {
            name: declared.stage.clone(),
            deploys_itself: true,
            log_group: Some(names.arn(Kind::AccessLog, entry)),
            log_format: Some(LOG_FORMAT.to_owned()),
        }),
        tags: blueprint.protected_tags(Kind::Api, entry, &declared.tags, declared.protect),
        ..api::Settings::new(names.derived(Kind::Api, entry))
    };
    let mut after = vec![of(Kind::AccessLog, entry)];
    after.extend(declared.routes.iter().map(|route| of(Kind::Function, &route.invoke)));
    let address = Address::of(names.name(Kind::Api, entry));
    blueprint.add(of(Kind::Api, entry), address, settings, super::distinct(after));
}

/// Adds the permission of a route, which names the API by its id and the route as it is: nothing else may invoke the function.
fn permission(blueprint: &mut Blueprint<'_>, entry: &str, route: &ApiRoute) {
    let names = blueprint.names();
    let path = format!("{}{}", route.route.method(), route.route.path());
    let api = id_of(blueprint, entry);
    let source = names.realm().arn_within(api::SOURCE, &names.stack().id(), &api, &path);
    let id = invoked_by_route(entry, route);
    let part = id.entry.split_once('.').map_or(id.entry.as_str(), |(_, part)| part);
    let name = names.name(Kind::Permission, part);
    let address = Address::within(names.name(Kind::Function, &route.invoke), name);
    let after = vec![of(Kind::Function, &route.invoke), of(Kind::Api, entry)];
    blueprint.add(id, address, permission::Settings::route(source), after);
}

/// Returns the identity of a route's permission. Lambda takes letters, digits, `-` and `_` in the id of a statement: a digest tells
/// routes apart that differ in another character.
fn invoked_by_route(api: &str, route: &ApiRoute) -> Id {
    let key = route.route.as_str();
    let words: String = key.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
    let words = words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let part = aws::hashed(&format!("api-{api}-{words}"), LONGEST_PART, &format!("{api} {key}"));
    of(Kind::Permission, permission::entry(&route.invoke, &part))
}

/// Longest name of a permission of ours behind its beginning: Lambda takes 100 characters.
const LONGEST_PART: usize = 80;
