//! The sink of the tree builder, with a meter of what a page has cost: see [`bounded`](super::bounded).

use std::{
    borrow::Cow,
    cell::{Cell, Ref, RefCell},
};

use html5ever::{
    Attribute as Parsed, QualName, expanded_name,
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    local_name, ns,
    tendril::StrTendril,
};

use super::tree::{Attribute, Content, NodeId, Tree};
use crate::failure::Failure;

/// The most elements and comments of a page, each with a text beside it: some 40 MB. The largest mail of a carrier that was
/// seen has 3,000.
const MOST_NODES: usize = 100_000;
/// The deepest nesting; browsers stop at 512 too.
const DEEPEST: u32 = 512;
/// The most looks at an element that the parser may take: under half a second.
const MOST_STEPS: usize = 30_000_000;
/// The most pairwise comparisons of attributes: a third of a second. An inline image of a megabyte stays below.
const MOST_COMPARISONS: usize = 800_000_000;
/// The sink of the parser, with a meter.
pub(super) struct Metered {
    tree: RefCell<Tree>,
    nodes: Cell<usize>,
    deepest: Cell<u32>,
    steps: Cell<usize>,
    /// `true` if a token arrived since the last look.
    has_token: Cell<bool>,
    /// `true` if no token arrived in the last piece.
    is_run: Cell<bool>,
    /// Number of characters that may separate attributes, fed since the last token.
    separators: Cell<usize>,
    comparisons: Cell<usize>,
}

impl Metered {
    pub(super) fn new() -> Self {
        Self {
            tree: RefCell::new(Tree::new()),
            nodes: Cell::default(),
            deepest: Cell::default(),
            steps: Cell::default(),
            has_token: Cell::default(),
            is_run: Cell::default(),
            separators: Cell::default(),
            comparisons: Cell::default(),
        }
    }

    /// Checks a piece that was fed.
    pub(super) fn check_piece(&self, piece: &str) -> Result<(), Failure> {
        let separators =
            piece.bytes().filter(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'')).count();
        // A piece in which tokens end cannot hold many attributes; a run of pieces without any may be one tag.
        let pending = self.separators.get() + separators;
        let is_run = self.is_run.get();
        let has_token = self.has_token.take();
        let comparisons = self.comparisons.get() + if is_run || !has_token { pending * pending / 2 } else { 0 };
        if has_token {
            self.comparisons.set(comparisons);
        }
        self.separators.set(if has_token { separators } else { pending });
        self.is_run.set(!has_token);
        self.check_with(comparisons)
    }

    /// Returns a failure once the page has cost more than one that a person wrote can cost.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.check_with(self.comparisons.get())
    }

    /// Counts the comparisons of an attribute with those before it.
    pub(super) fn compare(&self, attributes: usize) {
        self.comparisons.set(self.comparisons.get() + attributes);
    }

    fn check_with(&self, comparisons: usize) -> Result<(), Failure> {
        if self.nodes.get() > MOST_NODES {
            return Err(Failure::too_large(format!("an HTML page of at most {MOST_NODES} nodes")));
        }
        if self.deepest.get() > DEEPEST {
            return Err(Failure::too_large(format!("HTML nested at most {DEEPEST} deep")));
        }
        if self.steps.get() > MOST_STEPS || comparisons > MOST_COMPARISONS {
            return Err(Failure::too_large("HTML that can be parsed in bounded time"));
        }
        Ok(())
    }

    fn step(&self) {
        self.steps.set(self.steps.get() + 1);
        self.has_token.set(true);
    }

    fn add(&self, content: Content) -> NodeId {
        self.nodes.set(self.nodes.get() + 1);
        self.step();
        self.tree.borrow_mut().add(content)
    }

    fn place_under(&self, parent: NodeId, child: &NodeOrText<NodeId>) {
        // A text joins the one before it, if there is one: only elements and comments make room for more.
        if let NodeOrText::AppendNode(child) = child {
            let depth = self.tree.borrow_mut().place_under(parent, *child);
            self.deepest.set(self.deepest.get().max(depth));
        }
        self.step();
    }
}

impl TreeSink for Metered {
    type Handle = NodeId;
    type Output = Tree;
    type ElemName<'sink> = Ref<'sink, QualName>;

    fn finish(self) -> Tree {
        self.tree.into_inner()
    }

    /// Called in the midst of a tag too, so it does not count as a token.
    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        NodeId::DOCUMENT
    }

    fn elem_name<'sink>(&'sink self, target: &'sink NodeId) -> Self::ElemName<'sink> {
        self.step();
        Ref::map(self.tree.borrow(), |tree| tree.name(*target))
    }

    fn create_element(&self, name: QualName, attributes: Vec<Parsed>, _flags: ElementFlags) -> NodeId {
        let is_template = name.expanded() == expanded_name!(html "template");
        let element = self.add(Content::Element(name, Attribute::read(attributes)));
        if is_template {
            let mut tree = self.tree.borrow_mut();
            let contents = tree.add(Content::Nothing);
            tree.append(element, contents);
        }
        element
    }

    /// Nobody reads comments: they keep their place only.
    fn create_comment(&self, _text: StrTendril) -> NodeId {
        self.add(Content::Nothing)
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> NodeId {
        self.add(Content::Nothing)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.place_under(*parent, &child);
        let mut tree = self.tree.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => tree.append(*parent, child),
            NodeOrText::AppendText(text) => tree.append_text(*parent, text),
        }
    }

    fn append_based_on_parent_node(&self, element: &NodeId, before: &NodeId, child: NodeOrText<NodeId>) {
        if self.tree.borrow().has_parent(*element) {
            self.append_before_sibling(element, child);
        } else {
            self.append(before, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {
        let doctype = self.add(Content::Nothing);
        self.tree.borrow_mut().append(NodeId::DOCUMENT, doctype);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.step();
        let mut tree = self.tree.borrow_mut();
        let contents = tree.first_child(*target).unwrap_or(*target);
        tree.place_under(*target, contents);
        contents
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        self.step();
        one == other
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.place_under(*sibling, &child);
        let mut tree = self.tree.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => tree.insert_before(*sibling, child),
            NodeOrText::AppendText(text) => tree.insert_text_before(*sibling, text),
        }
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Parsed>) {
        self.step();
        self.tree.borrow_mut().add_attributes(*target, Attribute::read(attributes));
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.step();
        self.tree.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &NodeId, parent: &NodeId) {
        self.step();
        self.tree.borrow_mut().move_children(*node, *parent);
    }
}
