//! Several net buffer lists in a row.

use std::fmt;
use std::iter::FusedIterator;

use super::list::{Link, Nbl, NetBufferList, Node};

/// A chain of net buffer lists: owned, in order, linked through the lists themselves.
///
/// Moving, splitting and walking it allocates nothing, and so does taking lists off and putting them on. Dropped, all lists
/// go back to their pools. Source: WDK NET_BUFFER_LIST, member Next.
#[doc(alias = "NET_BUFFER_LIST_NEXT_NBL")]
#[derive(Default)]
pub struct Chain {
    head: Link,
    len: usize,
}

impl Chain {
    /// A chain of none.
    #[inline]
    pub const fn new() -> Chain {
        Chain { head: Link(None), len: 0 }
    }

    /// Puts `nbl` before all others.
    #[inline]
    pub fn push_front(&mut self, nbl: Nbl) {
        let mut node = nbl.into_node();
        node.next = self.head.take();
        self.head = Link(Some(node));
        self.len += 1;
    }

    /// Takes the first list off.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Nbl> {
        let mut node = self.head.0.take()?;
        self.head = node.next.take();
        self.len -= 1;
        Some(Nbl::from_node(node))
    }

    /// Puts `other` behind this chain, which is walked to its end: O(len) of this chain, O(1) if it is empty.
    ///
    /// To build a chain from its front use `extend` or `collect`, which look for the end once.
    pub fn append(&mut self, other: Chain) {
        let (head, len) = other.into_parts();
        *self.head.end() = head;
        self.len += len;
    }

    /// Takes the first `n` lists off as a chain of their own; all, if there are no more. O(n).
    #[must_use]
    pub fn split_off_front(&mut self, n: usize) -> Chain {
        if n >= self.len {
            return std::mem::take(self);
        }
        let mut cut = &mut self.head;
        for _ in 0..n {
            cut = &mut cut.0.as_mut().expect(COUNTED).next;
        }
        let rest = cut.take();
        let front = std::mem::replace(&mut self.head, rest);
        self.len -= n;
        Chain { head: front, len: n }
    }

    /// Takes off the lists for which `matches` says so, and leaves the others. Both keep their order. O(len).
    #[must_use]
    pub fn take_matching(&mut self, mut matches: impl FnMut(&NetBufferList) -> bool) -> Chain {
        let mut taken = Chain::new();
        let mut taken_end = &mut taken.head;
        let mut at = &mut self.head;
        while let Some(node) = &at.0 {
            if matches(&node.list) {
                let mut node = at.0.take().expect("looked at just above");
                *at = node.next.take();
                self.len -= 1;
                taken.len += 1;
                taken_end = &mut taken_end.0.insert(node).next;
            } else {
                at = &mut at.0.as_mut().expect("looked at just above").next;
            }
        }
        taken
    }

    /// The lists, in order, to be changed.
    #[inline]
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut { next: self.head.0.as_deref_mut(), left: self.len }
    }

    /// The lists, in order.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter { next: self.head.0.as_deref(), left: self.len }
    }

    /// The first list.
    #[inline]
    pub fn first(&self) -> Option<&NetBufferList> {
        self.head.0.as_deref().map(|node| &node.list)
    }

    /// Bytes of data in all net buffers of all lists. Walks the chain.
    pub fn data_len(&self) -> u64 {
        self.iter().map(NetBufferList::data_len).sum()
    }

    /// The number of lists.
    #[inline]
    #[doc(alias = "NumberOfNetBufferLists")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn from_parts(head: Link, len: usize) -> Chain {
        Chain { head, len }
    }

    #[inline]
    pub(super) fn into_parts(mut self) -> (Link, usize) {
        (self.head.take(), self.len)
    }
}

impl Extend<Nbl> for Chain {
    /// Puts the lists behind this chain. The end is looked for once.
    fn extend<I: IntoIterator<Item = Nbl>>(&mut self, nbls: I) {
        let Chain { head, len } = self;
        let mut end = head.end();
        for nbl in nbls {
            end = &mut end.0.insert(nbl.into_node()).next;
            *len += 1;
        }
    }
}

impl FromIterator<Nbl> for Chain {
    /// A chain of the lists, in order. O(n).
    fn from_iter<I: IntoIterator<Item = Nbl>>(nbls: I) -> Chain {
        let mut chain = Chain::new();
        chain.extend(nbls);
        chain
    }
}

impl From<Nbl> for Chain {
    #[inline]
    fn from(nbl: Nbl) -> Chain {
        Chain { head: Link(Some(nbl.into_node())), len: 1 }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain of {} NBLs", self.len)
    }
}

impl IntoIterator for Chain {
    type Item = Nbl;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self)
    }
}

impl<'a> IntoIterator for &'a Chain {
    type Item = &'a NetBufferList;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Chain {
    type Item = &'a mut NetBufferList;
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

/// The lists of a chain, one by one. Those not taken go back to their pools.
#[derive(Debug)]
pub struct IntoIter(Chain);

impl Iterator for IntoIter {
    type Item = Nbl;

    fn next(&mut self) -> Option<Nbl> {
        self.0.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len, Some(self.0.len))
    }
}

impl ExactSizeIterator for IntoIter {}
impl FusedIterator for IntoIter {}

/// The lists of a chain, in order. From [`Chain::iter`].
#[derive(Clone)]
pub struct Iter<'a> {
    next: Option<&'a Node>,
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a NetBufferList;

    #[inline]
    fn next(&mut self) -> Option<&'a NetBufferList> {
        let node = self.next?;
        self.next = node.next.0.as_deref();
        self.left -= 1;
        Some(&node.list)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

/// The lists of a chain, in order, to be changed. From [`Chain::iter_mut`].
pub struct IterMut<'a> {
    next: Option<&'a mut Node>,
    left: usize,
}

impl<'a> Iterator for IterMut<'a> {
    type Item = &'a mut NetBufferList;

    #[inline]
    fn next(&mut self) -> Option<&'a mut NetBufferList> {
        let node = self.next.take()?;
        self.next = node.next.0.as_deref_mut();
        self.left -= 1;
        Some(&mut node.list)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for IterMut<'_> {}
impl FusedIterator for IterMut<'_> {}

const COUNTED: &str = "a chain has as many lists as it counts";
