//! Tests a declared stack in an account: `up`, `diff` and `down` as people and programs use them, on the emulator of
//! AWS.

pub(crate) mod apis;
mod caches;
mod connecting;
mod cut_off;
mod databases;
mod egress;
mod faults;
mod interrupts;
mod lifecycle;
mod mail_events;
mod names;
mod neighbours;
mod networks;
mod on_moto;
mod outputs;
mod own_network;
mod pace;
mod plans;
mod preconditions;
mod reaching;
mod rehearsal;
mod saved;
mod secrets;
mod servers;
mod taking_time;
pub(crate) mod terminal;
mod tracking;
mod versions;
mod words;
mod workers;

use std::{env, path::Path, process::Command, sync::LazyLock};

use declaration::Code;
use jsonschema::Validator;
use package::{Architecture, Request};

use crate::{
    emulator::{
        account::{Account, Somebody},
        proxy::Proxy,
        server::{Authorisation, Emulator, Servers},
    },
    harness::{Folder, Run},
    shipped::{add_function, command_line},
};

/// Declaration of a stack with something of every kind, whose function builds quickly.
pub(crate) const EVERYTHING: &str = "\
stack: circuits
region: eu-west-1
tags: {team: network}
buckets:
  mail: {expire: 30d, versioning: true}
functions:
  reader:
    use: standin
    memory: 128MB
    timeout: 2s
    environment: {STANDIN: ready}
    secrets: {TOKEN: token}
    reads: [mail]
    on_failure: failed
queues:
  events: {redrive: {queue: failed}}
  failed: {retention: 14d}
topics:
  news: {subscriptions: [noc@example.com, {queue: events, raw: true}, {function: reader}]}
secrets:
  token: {value_from: {environment: TRY_TOKEN}, description: NetBox}
alarms: {notify: [noc@example.com]}
receipt_rules:
  - name: reader
    recipients: [noc@example.com]
    tls: require
    actions: [{store: mail, prefix: inbound/, topic: news}, {invoke: reader}, stop]
  - name: rest
    actions: [{store: mail, prefix: rest/}]
receipt_filters: [{name: office, policy: allow, cidr: 192.0.2.0/24}]
";

/// Value of a secret that must not be visible anywhere.
pub(crate) const VALUE: &str = "hush-b41d-nobody-may-see-this";

/// A stack in an account, and the folder of its declaration.
pub(crate) struct Trial {
    pub(crate) folder: Folder,
    pub(crate) emulator: Emulator,
    pub(crate) proxy: Proxy,
    /// Account without the proxy.
    pub(crate) account: Account,
}

impl Trial {
    /// Returns an empty account; `None` where there is no emulator.
    pub(crate) fn new(declaration: &str) -> Option<Self> {
        Some(Self::on(Emulator::start()?, code_folder(declaration)))
    }

    /// Returns an account whose permissions are checked; `None` where there is no emulator.
    pub(crate) fn checked(declaration: &str) -> Option<Self> {
        Some(Self::on(Emulator::start_with(Authorisation::Checked)?, code_folder(declaration)))
    }

    /// Returns an account whose EC2 and RDS are moto's and whose permissions are checked; `None` where there is no emulator.
    pub(crate) fn on_moto(declaration: &str) -> Option<Self> {
        let emulator = Emulator::start_beside(Servers::Moto, Authorisation::Checked)?;
        Some(Self::on(emulator, code_folder(declaration)))
    }

    /// Returns the account of an emulator, for the declaration in a folder.
    pub(crate) fn on(emulator: Emulator, folder: Folder) -> Self {
        let (proxy, account) = (Proxy::before(&emulator.url), Account::at(&emulator.url));
        Self { folder, emulator, proxy, account }
    }

    /// Returns the policy that `provision policy` prints for a command.
    #[track_caller]
    pub(crate) fn policy(&self, purpose: &str) -> serde_json::Value {
        let printed = self.expect(0, &["policy", "--for", purpose, "--json"]).json().remove(0);
        let serde_json::Value::Array(parts) = printed else { return printed };
        // All parts are attached to whoever runs the command.
        let statements = parts.iter().flat_map(|part| part["Statement"].as_array().unwrap().clone());
        serde_json::json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
    }

    /// Returns somebody new who has a policy alone.
    pub(crate) fn user(&self, name: &str, policy: &serde_json::Value) -> Somebody {
        Somebody::new(&self.account, name, &policy.to_string())
    }

    /// Returns somebody new who has the rights that `provision policy` prints for a command.
    #[track_caller]
    pub(crate) fn with_least_rights(&self, purpose: &str) -> Somebody {
        self.user("somebody", &self.policy(purpose))
    }

    /// Runs the command as somebody, and checks its exit code.
    #[track_caller]
    pub(crate) fn expect_as(&self, code: i32, somebody: &Somebody, arguments: &[&str]) -> Run {
        let run = self.run_as(somebody, arguments);
        assert_eq!(run.code(), Some(code), "{run}\n{}", self.proxy.record());
        run
    }

    /// Runs the command as somebody.
    pub(crate) fn run_as(&self, somebody: &Somebody, arguments: &[&str]) -> Run {
        self.folder.finish(arguments, somebody.runs(self.command(arguments)).output().unwrap())
    }

    /// Returns the command that uses the proxy as AWS.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(&self.folder, &self.proxy.url, arguments)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.folder.finish(arguments, self.command(arguments).output().unwrap())
    }

    /// Runs the command, and checks its exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code(), Some(code), "{run}\n{}", self.proxy.record());
        run
    }

    #[track_caller]
    pub(crate) fn up(&self) -> Run {
        self.expect(0, &["up", "--yes"])
    }

    /// Applies the declaration, with consent to all that a plan loses.
    #[track_caller]
    pub(crate) fn up_losing(&self, plan: &serde_json::Value) -> Run {
        let named = plan["allow_delete"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let named = named.flat_map(|name| ["--allow-delete", name]);
        self.expect(0, &["up", "--yes"].into_iter().chain(named).collect::<Vec<_>>())
    }

    /// Checks that nothing differs, and that another `up` changes nothing.
    #[track_caller]
    pub(crate) fn is_converged(&self) {
        self.proxy.reset();
        self.expect(0, &["diff"]);
        self.up();
        let changed: Vec<String> = self.proxy.mutating().iter().map(ToString::to_string).collect();
        assert_eq!(changed, Vec::<String>::new());
    }

    /// Returns the plan of `diff` as a document.
    #[track_caller]
    pub(crate) fn diff(&self) -> serde_json::Value {
        let run = self.run(&["diff", "--json"]);
        assert!(matches!(run.code(), Some(0 | 1)), "{run}");
        let plan = run.json().remove(0);
        is_valid(&plan);
        plan
    }
}

/// Checks that a plan is what its schema describes.
#[track_caller]
pub(crate) fn is_valid(plan: &serde_json::Value) {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let text = include_str!("../../../docs/plan.schema.json");
        jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
    });
    let errors: Vec<String> =
        SCHEMA.iter_errors(plan).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}\n{plan:#}", errors.join("\n"));
}

/// The command line as it is installed, with the stand-in as a function that came with it. Cargo, which a crate needs, would take half of the
/// time of a command.
static INSTALLED: LazyLock<Folder> = LazyLock::new(|| {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin");
    let code = Code::Crate { package: "standin".to_owned(), bin: None };
    let request = Request { folder: &crate_folder, code: &code };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let built = runtime.block_on(package::artifact(&request, Architecture::X86_64, &|_| {})).unwrap();
    let prefix = command_line();
    // It stands in for the function that tracks deliveries, too: commands look for that one by its name.
    for name in ["standin", "tracking"] {
        add_function(&prefix, name, &built.zip);
    }
    prefix
});

/// Returns a declaration in a folder where Cargo finds the stand-in, for declarations that name its crate.
pub(crate) fn code_folder(declaration: &str) -> Folder {
    let folder = Folder::below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standin/target/declared"));
    folder.write("infra.yaml", declaration);
    folder
}

/// Returns the command that runs the binary in a folder, with credentials for an address, without waiting, and with the
/// toolchain that runs this test.
pub(crate) fn command(folder: &Folder, url: &str, arguments: &[&str]) -> Command {
    let mut command = folder.command_of(&INSTALLED.path("bin/provision"), arguments);
    command
        .envs(Emulator::environment(url))
        .env("PROVISION_PACING_MS", "0")
        .env("PROVISION_RESOLVER", "off")
        .env("TRY_TOKEN", VALUE)
        .env("CACHE_PASSWORD", VALUE);
    command.env("CARGO_NET_OFFLINE", "true");
    for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// Returns the planned actions: `change queue failed`; unchanged resources are left out.
pub(crate) fn actions(plan: &serde_json::Value) -> Vec<String> {
    let resources = plan["resources"].as_array().unwrap().iter();
    let text = |resource: &serde_json::Value, key: &str| resource[key].as_str().unwrap().to_owned();
    let changed = resources.filter(|resource| resource["action"] != "unchanged");
    changed.map(|it| format!("{} {} {}", text(it, "action"), text(it, "kind"), text(it, "entry"))).collect()
}
