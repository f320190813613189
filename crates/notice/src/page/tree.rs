//! The elements and texts of a page as one list of linked nodes: made by the parser, read in document order without recursion.

use html5ever::{Attribute as Parsed, QualName, local_name, ns, tendril::StrTendril};

/// The nodes of a page. Comments and declarations keep their place and nothing else.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Linked>,
    /// Name of what is no element.
    nameless: QualName,
}

/// A node's place in the list; that of the document is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeId(u32);

impl NodeId {
    pub(super) const DOCUMENT: Self = Self(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node with its place among the others.
#[derive(Debug)]
struct Linked {
    content: Content,
    parent: Option<NodeId>,
    previous: Option<NodeId>,
    next: Option<NodeId>,
    first_child: Option<NodeId>,
    last_child: Option<NodeId>,
    depth: u32,
}

/// The content of a node.
#[derive(Debug)]
pub(super) enum Content {
    /// A document, a comment, a declaration, the inside of a template.
    Nothing,
    Text(StrTendril),
    Element(QualName, Vec<(Attribute, StrTendril)>),
}

/// The attributes that somebody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `bgcolor`.
    Background,
    /// `colspan`.
    Columns,
    /// `hidden`.
    Hidden,
    /// `rowspan`.
    Rows,
    /// `style`.
    Style,
}

impl Attribute {
    fn of(name: &QualName) -> Option<Self> {
        match name.local {
            _ if name.ns != ns!() => None,
            local_name!("bgcolor") => Some(Self::Background),
            local_name!("colspan") => Some(Self::Columns),
            local_name!("hidden") => Some(Self::Hidden),
            local_name!("rowspan") => Some(Self::Rows),
            local_name!("style") => Some(Self::Style),
            _ => None,
        }
    }

    /// Returns the attribute of that name, in any case; `None` if nobody reads it.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            5 if is("style") => Some(Self::Style),
            6 if is("hidden") => Some(Self::Hidden),
            7 if is("bgcolor") => Some(Self::Background),
            7 if is("colspan") => Some(Self::Columns),
            7 if is("rowspan") => Some(Self::Rows),
            _ => None,
        }
    }

    /// Returns those of the parser's attributes that somebody reads.
    pub(super) fn read(parsed: Vec<Parsed>) -> Vec<(Self, StrTendril)> {
        parsed.into_iter().filter_map(|attribute| Some((Self::of(&attribute.name)?, attribute.value))).collect()
    }
}

/// A step of the way through a part of the page.
pub(super) enum Step<'page> {
    Text(&'page str),
    Enter(Element<'page>),
    Leave(Element<'page>),
}

/// A text or an element of a page.
pub enum Node<'page> {
    /// A text as it is written.
    Text(&'page str),
    /// An element with what is in it.
    Element(Element<'page>),
}

/// An element of a page.
#[derive(Clone, Copy)]
pub struct Element<'page> {
    tree: &'page Tree,
    id: NodeId,
    name: &'page QualName,
    attributes: &'page [(Attribute, StrTendril)],
}

impl Tree {
    /// Returns a tree of a document alone.
    pub(super) fn new() -> Self {
        let mut tree = Self { nodes: Vec::new(), nameless: QualName::new(None, ns!(), local_name!("")) };
        tree.add(Content::Nothing);
        tree
    }

    /// Adds a node that has no place yet.
    pub(super) fn add(&mut self, content: Content) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let (parent, previous, next, first_child, last_child) = (None, None, None, None, None);
        self.nodes.push(Linked { content, parent, previous, next, first_child, last_child, depth: 0 });
        id
    }

    fn node(&self, id: NodeId) -> Option<&Linked> {
        self.nodes.get(id.index())
    }

    fn node_mut(&mut self, id: Option<NodeId>) -> Option<&mut Linked> {
        self.nodes.get_mut(id?.index())
    }

    /// Returns the name of an element.
    pub(super) fn name(&self, id: NodeId) -> &QualName {
        match self.node(id) {
            Some(Linked { content: Content::Element(name, _), .. }) => name,
            _ => &self.nameless,
        }
    }

    /// Returns the inside of a template: its first child.
    pub(super) fn first_child(&self, id: NodeId) -> Option<NodeId> {
        self.node(id)?.first_child
    }

    pub(super) fn has_parent(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| node.parent.is_some())
    }

    /// Notes that a node is placed below another one, and returns its depth.
    pub(super) fn place_under(&mut self, parent: NodeId, child: NodeId) -> u32 {
        let depth = self.node(parent).map_or(0, |node| node.depth) + 1;
        if let Some(node) = self.node_mut(Some(child)) {
            node.depth = depth;
        }
        depth
    }

    /// Adds the attributes that an element does not have.
    pub(super) fn add_attributes(&mut self, id: NodeId, added: Vec<(Attribute, StrTendril)>) {
        if let Some(Linked { content: Content::Element(_, attributes), .. }) = self.node_mut(Some(id)) {
            for (name, value) in added {
                if !attributes.iter().any(|(known, _)| *known == name) {
                    attributes.push((name, value));
                }
            }
        }
    }

    /// Makes a node the last child of another one.
    pub(super) fn append(&mut self, parent: NodeId, child: NodeId) {
        self.detach(child);
        self.insert(Some(parent), self.node(parent).and_then(|node| node.last_child), None, child);
    }

    /// Makes a text the end of another node's content; it joins a text that is there.
    pub(super) fn append_text(&mut self, parent: NodeId, text: StrTendril) {
        let last = self.node(parent).and_then(|node| node.last_child);
        if !self.join(last, &text) {
            let child = self.add(Content::Text(text));
            self.append(parent, child);
        }
    }

    /// Puts a node before one that has a parent.
    pub(super) fn insert_before(&mut self, sibling: NodeId, child: NodeId) {
        self.detach(child);
        if let Some((parent, previous)) = self.node(sibling).and_then(|node| Some((node.parent?, node.previous))) {
            self.insert(Some(parent), previous, Some(sibling), child);
        }
    }

    /// Puts a text before a node that has a parent; it joins a text that is there.
    pub(super) fn insert_text_before(&mut self, sibling: NodeId, text: StrTendril) {
        let Some(node) = self.node(sibling).filter(|node| node.parent.is_some()) else { return };
        if !self.join(node.previous, &text) {
            let child = self.add(Content::Text(text));
            self.insert_before(sibling, child);
        }
    }

    fn join(&mut self, before: Option<NodeId>, added: &StrTendril) -> bool {
        let Some(Linked { content: Content::Text(text), .. }) = self.node_mut(before) else { return false };
        text.push_tendril(added);
        true
    }

    fn insert(&mut self, parent: Option<NodeId>, previous: Option<NodeId>, next: Option<NodeId>, child: NodeId) {
        if let Some(node) = self.node_mut(Some(child)) {
            (node.parent, node.previous, node.next) = (parent, previous, next);
        }
        match self.node_mut(previous) {
            Some(node) => node.next = Some(child),
            None => {
                if let Some(node) = self.node_mut(parent) {
                    node.first_child = Some(child);
                }
            }
        }
        match self.node_mut(next) {
            Some(node) => node.previous = Some(child),
            None => {
                if let Some(node) = self.node_mut(parent) {
                    node.last_child = Some(child);
                }
            }
        }
    }

    /// Takes a node from its place.
    pub(super) fn detach(&mut self, id: NodeId) {
        let Some(node) = self.node_mut(Some(id)) else { return };
        let (parent, previous, next) = (node.parent.take(), node.previous.take(), node.next.take());
        match self.node_mut(previous) {
            Some(node) => node.next = next,
            None => {
                if let Some(node) = self.node_mut(parent) {
                    node.first_child = next;
                }
            }
        }
        match self.node_mut(next) {
            Some(node) => node.previous = previous,
            None => {
                if let Some(node) = self.node_mut(parent) {
                    node.last_child = previous;
                }
            }
        }
    }

    /// Moves all children of a node behind those of another one.
    pub(super) fn move_children(&mut self, from: NodeId, to: NodeId) {
        while let Some(child) = self.first_child(from) {
            self.append(to, child);
        }
    }

    fn element(&self, id: NodeId) -> Option<Element<'_>> {
        match &self.node(id)?.content {
            Content::Element(name, attributes) => Some(Element { tree: self, id, name, attributes }),
            Content::Nothing | Content::Text(_) => None,
        }
    }

    /// Returns the steps through the whole page, in document order.
    pub(super) fn steps(&self) -> Steps<'_> {
        Steps { tree: self, root: NodeId::DOCUMENT, next: Some((NodeId::DOCUMENT, true)) }
    }

    /// Returns the elements in document order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        self.steps().filter_map(Step::element)
    }

    /// Returns the texts in document order, hidden ones too.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.steps().filter_map(Step::text)
    }
}

impl<'page> Step<'page> {
    fn element(self) -> Option<Element<'page>> {
        if let Self::Enter(element) = self { Some(element) } else { None }
    }

    fn text(self) -> Option<&'page str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// The way through a node and what is in it.
pub(super) struct Steps<'page> {
    tree: &'page Tree,
    root: NodeId,
    /// The next node, and `true` to enter it.
    next: Option<(NodeId, bool)>,
}

impl<'page> Steps<'page> {
    /// Passes over the content of the element that was entered last, and over its end.
    pub(super) fn skip_content(&mut self, element: Element<'page>) {
        self.next = self.behind(element.id);
    }

    fn behind(&self, id: NodeId) -> Option<(NodeId, bool)> {
        if id == self.root {
            return None;
        }
        let node = self.tree.node(id)?;
        node.next.map_or_else(|| Some((node.parent?, false)), |next| Some((next, true)))
    }
}

impl<'page> Iterator for Steps<'page> {
    type Item = Step<'page>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (id, is_entered) = self.next?;
            let node = self.tree.node(id)?;
            let first = node.first_child.filter(|_| is_entered);
            self.next = match first {
                Some(first) => Some((first, true)),
                None if is_entered && matches!(node.content, Content::Element(..)) => Some((id, false)),
                None => self.behind(id),
            };
            match &node.content {
                Content::Text(text) => return Some(Step::Text(text)),
                Content::Element(..) => {
                    let step = if is_entered { Step::Enter } else { Step::Leave };
                    return self.tree.element(id).map(step);
                }
                Content::Nothing => {}
            }
        }
    }
}

impl<'page> Element<'page> {
    /// Returns its name, in lower case.
    pub fn name(&self) -> &'page str {
        &self.name.local
    }

    /// Returns `true` for an element of HTML, `false` for one of other languages within a page.
    pub(super) fn is_html(&self) -> bool {
        self.name.ns == ns!(html)
    }

    /// Returns the value of an attribute; `None` where it is missing.
    pub fn attribute(&self, name: Attribute) -> Option<&'page str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// Returns the texts and elements directly in it.
    pub fn content(&self) -> impl Iterator<Item = Node<'page>> {
        let tree = self.tree;
        let ids = std::iter::successors(tree.first_child(self.id), |id| tree.node(*id)?.next);
        ids.filter_map(|id| match &tree.node(id)?.content {
            Content::Text(text) => Some(Node::Text(text)),
            Content::Element(..) => tree.element(id).map(Node::Element),
            Content::Nothing => None,
        })
    }

    /// Returns the elements directly in it.
    pub fn children(&self) -> impl Iterator<Item = Element<'page>> {
        self.content().filter_map(|node| if let Node::Element(element) = node { Some(element) } else { None })
    }

    /// Returns the elements in it, at any depth, in document order.
    pub fn descendants(&self) -> impl Iterator<Item = Element<'page>> {
        self.steps().skip(1).filter_map(Step::element)
    }

    /// Returns the steps from its start to its end.
    pub(super) fn steps(&self) -> Steps<'page> {
        Steps { tree: self.tree, root: self.id, next: Some((self.id, true)) }
    }

    /// Returns its texts in document order, hidden ones too.
    pub fn texts(&self) -> impl Iterator<Item = &'page str> {
        self.steps().filter_map(Step::text)
    }
}
