//! Tests plans and their rendering, from declared and found resources, without AWS.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Action, Address, Class, Disorder, Failure, Live, Owned, Owner};
use kinds::{
    Id, Kind, Plan, Read, Resource, Settings, Survey,
    cloudwatch::alarm,
    lambda::{event_invoke, function, permission},
    sqs::queue,
};

use crate::render::{Look, markdown, plan as render};
use stack::preconditions::Others;

fn queue(entry: &str, settings: queue::Settings) -> Resource {
    Resource {
        id: Id::new(Kind::Queue, entry),
        address: Address::of(format!("a-{entry}")),
        settings: Settings::Queue(Box::new(settings)),
        after: Vec::new(),
        moved_from: None,
        protections: Vec::new(),
    }
}

fn found(found: Vec<(&str, Read)>) -> Survey {
    let read =
        found.into_iter().map(|(entry, read)| ((Kind::Queue, Address::of(format!("a-{entry}"))), read)).collect();
    Survey { read, ..Survey::default() }
}

fn live(settings: queue::Settings, owner: Owner) -> Read {
    Read::Present(Live { settings: Settings::Queue(Box::new(settings)), owner })
}

fn shown(plan: &Plan) -> String {
    let heading = render::Heading {
        source: "infra.yaml".to_owned(),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
    };
    render::text(&heading, plan, &Look::plain())
}

#[test]
fn every_action_is_told_in_words() {
    let settings = queue::Settings::default;
    let declared: Vec<Resource> =
        ["same", "new", "changed", "denied", "foreign"].map(|entry| queue(entry, settings())).into();
    let denied = Failure {
        status: Some(403),
        code: Some("AccessDenied".to_owned()),
        request_id: Some("1a2b".to_owned()),
        ..Failure::found("sqs.GetQueueUrl", Class::Denied, "")
    };
    let mut survey = found(vec![
        ("same", live(settings(), Owner::Ours)),
        ("new", Read::Absent),
        ("changed", live(queue::Settings { retention: 60, managed_encryption: false, ..settings() }, Owner::Nobody)),
        ("denied", Read::Unreadable(denied)),
        ("foreign", live(settings(), Owner::Other("it belongs to stack `b`".to_owned()))),
    ]);
    let owned = |entry: &str| Owned::new(entry, Address::of(format!("a-{entry}")));
    survey.owned.insert(Kind::Queue, BTreeSet::from([owned("same"), owned("gone"), owned("full")]));
    survey.holds.insert((Kind::Queue, Address::of("a-full")), Ok("3 messages".to_owned()));
    let plan = Plan::new(&declared, &survey).unwrap();
    insta::assert_snapshot!(shown(&plan), @r#"
    infra.yaml → account 123456789012, eu-west-1

      ~ queue changed
          managed_encryption   false → true
          retention            60 → 345600
          # 8 unchanged
      ! queue denied   could not be read: sqs.GetQueueUrl 403 AccessDenied (request 1a2b)
      ! queue foreign   is not touched: it belongs to stack `b`
      = queue full   stays: 3 messages
      + queue new   # 6 settings
      - queue gone

    With `-v`, new resources are shown with their settings.
    Plan: 1 to create, 1 to change, 0 to replace, 1 to delete; 1 unchanged; 1 kept; 1 unreadable; 1 not ours
    "#);
    assert!(!plan.is_converged());
}

/// Checks that no line is longer than 80 columns but for a word that is.
fn assert_fits(text: &str) {
    for line in text.lines().filter(|line| line.chars().count() > 80) {
        assert_eq!(line.split_whitespace().count(), 1, "{line}\n\n{text}");
    }
}

#[test]
fn every_part_of_a_plan_fits_80_columns_whatever_the_names_are() {
    let long = "a-name-of-thirty-two-characters1";
    let arn = format!("arn:aws:sqs:eu-west-1:123456789012:{long}-{long}");
    let settings = queue::Settings::default;
    let denied = Failure {
        status: Some(403),
        code: Some("AccessDenied".to_owned()),
        ..Failure::found(
            "sqs.GetQueueUrl",
            Class::Denied,
            format!("somebody is not authorized to perform this on {arn}"),
        )
    };
    let entries = ["changed", "denied", "foreign"].map(|name| format!("{name}-{long}"));
    let mut declared: Vec<Resource> = entries.iter().map(|entry| queue(entry, settings())).collect();
    let moved = queue(&format!("moved-{long}"), settings());
    declared.push(Resource { moved_from: Some(format!("before-{long}")), ..moved });
    let redrive = queue::Redrive { queue: arn.clone(), after: 5 };
    let changed = queue::Settings { retention: 60, redrive: Some(redrive), ..settings() };
    let mut survey = found(vec![
        (&entries[0], live(changed, Owner::Ours)),
        (&entries[1], Read::Unreadable(denied.clone())),
        (&entries[2], live(settings(), Owner::Other(format!("it belongs to stack `{long}` in stage `{long}`")))),
        (&format!("moved-{long}"), live(settings(), Owner::Ours)),
    ]);
    let owned = |entry: &str| Owned::new(entry, Address::of(format!("a-{entry}")));
    survey.owned.insert(Kind::Queue, BTreeSet::from([owned(&format!("full-{long}"))]));
    let holds = format!("3 messages, of which the oldest waits for {long} and for {long}");
    survey.holds.insert((Kind::Queue, Address::of(format!("a-full-{long}"))), Ok(holds));
    survey.unlisted.insert(Kind::Topic, denied);
    let plan = Plan::new(&declared, &survey).unwrap();
    let heading = render::Heading {
        source: format!("{long}/infra.yaml"),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
    };
    let text = render::text(&heading, &plan, &Look::plain());
    assert!(text.lines().any(|line| line.chars().count() > 80), "{text}");
    for colour in [false, true] {
        for whole in [false, true] {
            let look = Look { width: Some(80), colour, whole, ..Look::plain() };
            let fitted = look.fit(&render::text(&heading, &plan, &look));
            assert_fits(&console::strip_ansi_codes(&fitted));
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&fitted), words(&render::text(&heading, &plan, &look)), "nothing is lost");
        }
    }
}

#[test]
fn unchanged_resources_are_not_listed() {
    let plan = Plan::new(
        &[queue("same", queue::Settings::default())],
        &found(vec![("same", live(queue::Settings::default(), Owner::Ours))]),
    )
    .unwrap();
    assert!(plan.is_converged());
    insta::assert_snapshot!(shown(&plan), @r#"
    infra.yaml → account 123456789012, eu-west-1

    Plan: 0 to create, 0 to change, 0 to replace, 0 to delete; 1 unchanged
    "#);
}

#[test]
fn a_kind_that_could_not_be_listed_is_not_taken_for_empty() {
    let mut survey = Survey::default();
    survey.unlisted.insert(Kind::Queue, Failure::found("sqs.ListQueues", Class::Denied, "no"));
    let plan = Plan::new(&[], &survey).unwrap();
    assert!(!plan.is_converged());
    insta::assert_snapshot!(shown(&plan), @r#"
    infra.yaml → account 123456789012, eu-west-1

      ! every queue   could not be listed: sqs.ListQueues: no

    Plan: 0 to create, 0 to change, 0 to replace, 0 to delete; 0 unchanged; 1 unreadable
    "#);
}

#[test]
fn a_referenced_resource_is_created_first() {
    let dead = queue("z-dead", queue::Settings::default());
    let mut main = queue("a-main", queue::Settings::default());
    main.after.push(dead.id.clone());
    let plan = Plan::new(&[main, dead], &Survey::default()).unwrap();
    let order: Vec<&str> = plan.items().iter().map(|item| item.id.entry.as_str()).collect();
    assert_eq!(order, ["z-dead", "a-main"]);
}

#[test]
fn a_circle_is_no_plan() {
    let (mut one, mut other) = (queue("one", queue::Settings::default()), queue("other", queue::Settings::default()));
    one.after.push(other.id.clone());
    other.after.push(one.id.clone());
    let ids = vec!["queue one".to_owned(), "queue other".to_owned()];
    assert_eq!(Plan::new(&[one, other], &Survey::default()), Err(Disorder::Circle { ids }));
}

#[test]
fn two_resources_of_one_name_are_no_plan() {
    let one = queue("one", queue::Settings::default());
    let other = Resource { id: Id::new(Kind::Queue, "other"), ..one.clone() };
    let ids = ["queue one".to_owned(), "queue other".to_owned()];
    let twice = Disorder::Twice { ids, name: "a-one".to_owned() };
    assert_eq!(Plan::new(&[one, other], &Survey::default()), Err(twice));
}

#[test]
fn a_resource_that_moves_is_created_before_its_old_place_goes() {
    let moved =
        |address: &str| Resource { address: Address::of(address), ..queue("moved", queue::Settings::default()) };
    let user = Resource { after: vec![Id::new(Kind::Queue, "moved")], ..queue("user", queue::Settings::default()) };
    let mut survey = Survey::default();
    survey.owned.insert(Kind::Queue, BTreeSet::from([Owned::new("moved", Address::of("there"))]));
    let plan = Plan::new(&[moved("here"), user], &survey).unwrap();
    let order: Vec<(&str, &Action)> =
        plan.items().iter().map(|item| (item.address.name.as_str(), &item.action)).collect();
    assert_eq!(order, [("here", &Action::Create), ("a-user", &Action::Create), ("there", &Action::Delete)]);
}

#[test]
fn the_parts_of_a_replaced_resource_are_created_again() {
    let function = function::Settings::new("a-f", "arn:aws:iam::123456789012:role/a-f".to_owned(), String::new());
    let permission = permission::Settings::invoke("ses.amazonaws.com", "123456789012", "arn".to_owned());
    let invoke = event_invoke::Settings::default();
    let (whole, name) = (Id::new(Kind::Function, "f"), "a-f");
    let resource = |kind, address, settings, after: &[&Id]| Resource {
        id: Id::new(kind, "f"),
        address,
        settings,
        after: after.iter().map(|id| (*id).clone()).collect(),
        moved_from: None,
        protections: Vec::new(),
    };
    let declared = [
        resource(Kind::Function, Address::of(name), function.clone().into(), &[]),
        resource(Kind::Permission, Address::within(name, "ses"), permission.into(), &[&whole]),
        resource(Kind::EventInvoke, Address::within(name, event_invoke::QUALIFIER), invoke.into(), &[&whole]),
        resource(Kind::Alarm, Address::of("a-alarm"), alarm::Settings::default().into(), &[&whole]),
    ];
    let plan = |package: &str| {
        let mut live = declared.clone().map(|resource| (resource.id.kind, resource.address, resource.settings));
        let [(_, _, settings), ..] = &mut live;
        *settings = function::Settings { package: package.to_owned(), ..function.clone() }.into();
        let present = |settings| Read::Present(Live { settings, owner: Owner::Ours });
        let read = live.map(|(kind, address, settings)| ((kind, address), present(settings))).into();
        let plan = Plan::new(&declared, &Survey { read, ..Survey::default() }).unwrap();
        assert_eq!(package != "Image", !shown(&plan).contains("created anew with function f, which is replaced"));
        plan.items().iter().cloned().map(|item| (item.id.kind, item.action)).collect::<BTreeMap<_, _>>()
    };
    assert!(plan(&function.package).values().all(|action| *action == Action::Unchanged));
    let replaced = plan("Image");
    assert!(matches!(replaced.get(&Kind::Function), Some(Action::Replace { .. })), "{replaced:?}");
    assert_eq!(replaced.get(&Kind::Permission), Some(&Action::Create));
    assert_eq!(replaced.get(&Kind::EventInvoke), Some(&Action::Create));
    assert_eq!(replaced.get(&Kind::Alarm), Some(&Action::Unchanged));
}

#[test]
fn an_indirect_reference_to_a_changed_resource_waits_for_it() {
    let at = |retention| queue::Settings { retention, ..queue::Settings::default() };
    let after =
        |entry: &str, before: &str| Resource { after: vec![Id::new(Kind::Queue, before)], ..queue(entry, at(60)) };
    // In the order of their names, the last one would come first.
    let declared = [queue("c", at(60)), after("b", "c"), after("a", "b")];
    let survey = found(vec![
        ("c", live(at(300), Owner::Ours)),
        ("b", live(at(60), Owner::Ours)),
        ("a", live(at(300), Owner::Ours)),
    ]);
    let plan = Plan::new(&declared, &survey).unwrap();
    let entries: Vec<&str> = plan.items().iter().map(|item| item.id.entry.as_str()).collect();
    let place = |entry: &str| entries.iter().position(|one| *one == entry);
    assert!(place("c") < place("a"), "{entries:?}");
    let steps = plan.steps();
    assert!(steps[place("a").unwrap()].waits.contains(&place("c").unwrap()), "{steps:?}");
}

/// Somebody has written a secret where it does not belong: the plan names the variable, and repeats neither side.
#[test]
fn no_plan_shows_a_token_or_what_is_secret_in_an_address() {
    let variables = |value: &str| -> BTreeMap<String, String> {
        ["NETBOX_TOKEN", "WEBHOOK_SECRET", "DB_PASSWORD"]
            .map(|name| (name.to_owned(), value.to_owned()))
            .into_iter()
            .chain([
                ("WEBHOOK_URL".to_owned(), format!("https://hooks.example/{value}")),
                ("NETBOX_URL".to_owned(), format!("https://me:{value}@netbox.example")),
                ("SINK".to_owned(), format!("shown {}", value.len())),
            ])
            .collect()
    };
    let settings = |value: &str| {
        let settings =
            function::Settings { environment: variables(value), ..function::Settings::new("a", "role", "code") };
        Settings::Function(Box::new(settings))
    };
    let id = Id::new(Kind::Function, "reader");
    let address = Address::of("a-reader".to_owned());
    let resource = Resource {
        id,
        address: address.clone(),
        settings: settings("canary"),
        after: Vec::new(),
        moved_from: None,
        protections: Vec::new(),
    };
    let read = Read::Present(Live { settings: settings("canary-two"), owner: Owner::Ours });
    let survey = Survey { read: [((Kind::Function, address), read)].into(), ..Survey::default() };
    let heading = render::Heading {
        source: "infra.yaml".to_owned(),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
    };
    let whole = Look { whole: true, ..Look::plain() };
    for survey in [survey, Survey::default()] {
        let plan = Plan::new(std::slice::from_ref(&resource), &survey).unwrap();
        let markdown = markdown::text(&heading, &plan, &Others::default()).replace("&#58;", ":").replace("&#95;", "_");
        for text in [render::text(&heading, &plan, &whole), render::json(&heading, &plan).to_string(), markdown] {
            assert!(!text.contains("canary"), "{text}");
            for part in ["NETBOX_TOKEN", "https://hooks.example/…", "https://netbox.example/…", "shown 6"] {
                assert!(text.contains(part), "`{part}` is missing in {text}");
            }
        }
    }
}
