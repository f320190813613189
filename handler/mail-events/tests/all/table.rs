//! A table of DynamoDB as far as a query needs one: it verifies that a request is signed, and answers by its keys.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use function_trial::{Answer, Request, Server};
use serde_json::{Value, json};

/// Name of the table in AWS.
pub(crate) const NAME: &str = "mails-mails";

/// Chooses another answer to the n-th request.
type Choice = Box<dyn Fn(u64) -> Option<Answer> + Send>;

struct State {
    /// Templates by sender and sort key; `None` is an item without one.
    items: BTreeMap<(String, String), Option<String>>,
    choice: Choice,
    /// Bodies of the requests.
    asked: Vec<Value>,
    is_recording: bool,
    count: u64,
}

/// A table of `DynamoDB` behind a local server.
#[derive(Clone)]
pub(crate) struct Table {
    state: Arc<Mutex<State>>,
    server: Server,
}

impl Table {
    pub(crate) fn start() -> Self {
        let state = State {
            items: BTreeMap::new(),
            choice: Box::new(|_| None),
            asked: Vec::new(),
            is_recording: true,
            count: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let serving = Arc::clone(&state);
        let server = Server::start(move |request| Some(answer(&mut serving.lock().unwrap(), &request)));
        Self { state, server }
    }

    /// Returns the URL of the service.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Puts an item of a mail into the table.
    pub(crate) fn put(&self, sender: &str, sort: &str, template: Option<&str>) {
        let key = (sender.to_owned(), sort.to_owned());
        self.state.lock().unwrap().items.insert(key, template.map(str::to_owned));
    }

    /// Chooses other answers from now on; requests are counted from zero.
    pub(crate) fn choose(&self, choice: impl Fn(u64) -> Option<Answer> + Send + 'static) {
        let mut state = self.state.lock().unwrap();
        (state.choice, state.count) = (Box::new(choice), 0);
    }

    /// Stops remembering the requests, of which there may be many.
    pub(crate) fn forget(&self) {
        self.state.lock().unwrap().is_recording = false;
    }

    /// Returns the bodies of the requests.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.state.lock().unwrap().asked.clone()
    }
}

fn answer(state: &mut State, request: &Request) -> Answer {
    let number = state.count;
    state.count += 1;
    let query: Value = serde_json::from_slice(&request.body).unwrap();
    if state.is_recording {
        state.asked.push(query.clone());
    }
    if let Some(answer) = (state.choice)(number) {
        return answer;
    }
    let is_query = request.header("x-amz-target") == "DynamoDB_20120810.Query";
    if !request.is_signed() || !is_query || query["TableName"] != NAME || query["ConsistentRead"] != true {
        return Answer::new(400, r#"{"__type":"com.amazon.coral.validate#ValidationException"}"#);
    }
    let value = |name: &str| query["ExpressionAttributeValues"][name]["S"].as_str().unwrap().to_owned();
    let name = |name: &str| query["ExpressionAttributeNames"][name].as_str().unwrap().to_owned();
    assert_eq!((name("#partition"), name("#sort")), ("ses_pk".to_owned(), "ses_sk".to_owned()));
    let (sender, sort) = (value(":partition"), value(":sort"));
    let begins = match query["KeyConditionExpression"].as_str().unwrap() {
        "#partition = :partition AND begins_with(#sort, :sort)" => true,
        "#partition = :partition AND #sort = :sort" => false,
        other => panic!("{other}"),
    };
    let found = state
        .items
        .range((sender.clone(), sort.clone())..)
        .take_while(|((of, key), _)| *of == sender && if begins { key.starts_with(&sort) } else { *key == sort });
    let item =
        |template: &Option<String>| template.as_ref().map_or(json!({}), |text| json!({"template_id": {"S": text}}));
    let items: Vec<Value> = found.map(|(_, template)| item(template)).collect();
    Answer::new(200, json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items}).to_string())
}
