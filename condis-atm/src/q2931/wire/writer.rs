//! A message that is put together as octets, from values that stay where they are.

use super::codec::EXT;
use super::message::{MESSAGE_HEADER_LEN, MESSAGE_LEN_MAX, PROTOCOL};
use super::{CallRef, MessageInstruction, MessageTooLong, MessageType};

/// Octets that most messages have at most, so that one allocation does.
const USUAL_LEN: usize = 160;

/// A message in the making.
#[derive(Debug)]
pub(crate) struct MessageWriter(Vec<u8>);

/// What can be written as an IE: an [`Ie`](super::Ie), or a value of a kind in its usual coding with the regular instruction.
pub(crate) trait WriteIe {
    /// Writes it behind other octets, header and all.
    fn append(&self, to: &mut Vec<u8>);
}

impl<T: WriteIe> WriteIe for &T {
    fn append(&self, to: &mut Vec<u8>) {
        T::append(self, to);
    }
}

impl MessageWriter {
    /// Without IEs so far.
    pub(crate) fn new(call_ref: CallRef, kind: MessageType) -> MessageWriter {
        let mut octets = Vec::with_capacity(USUAL_LEN);
        let [a, b, c] = call_ref.to_octets();
        let instruction = EXT | MessageInstruction::REGULAR.bits();
        octets.extend_from_slice(&[PROTOCOL, CallRef::OCTETS as u8, a, b, c, kind.get(), instruction, 0, 0]);
        MessageWriter(octets)
    }

    /// The same with this instruction.
    pub(crate) fn instructed(mut self, instruction: MessageInstruction) -> MessageWriter {
        self.0[MESSAGE_HEADER_LEN - 3] = EXT | instruction.bits();
        self
    }

    /// The same with this IE behind the others.
    #[inline]
    pub(crate) fn with(mut self, ie: impl WriteIe) -> MessageWriter {
        ie.append(&mut self.0);
        self
    }

    /// The same with this IE, if there is one.
    #[inline]
    pub(crate) fn with_some(mut self, ie: Option<impl WriteIe>) -> MessageWriter {
        if let Some(ie) = ie {
            ie.append(&mut self.0);
        }
        self
    }

    /// The same with these IEs behind the others.
    #[inline]
    pub(crate) fn with_all<T: WriteIe>(mut self, ies: impl IntoIterator<Item = T>) -> MessageWriter {
        ies.into_iter().for_each(|ie| ie.append(&mut self.0));
        self
    }

    /// The message's octets.
    ///
    /// # Errors
    /// [`MessageTooLong`].
    pub(crate) fn finish(self) -> Result<Vec<u8>, MessageTooLong> {
        let mut octets = self.0;
        if octets.len() > MESSAGE_LEN_MAX {
            return Err(MessageTooLong(octets.len()));
        }
        let contents = octets.len() - MESSAGE_HEADER_LEN;
        octets[MESSAGE_HEADER_LEN - 2..MESSAGE_HEADER_LEN].copy_from_slice(&(contents as u16).to_be_bytes());
        Ok(octets)
    }

    /// What its receiver reads.
    #[cfg(test)]
    pub(crate) fn message(self) -> super::Message {
        let octets = self.finish().expect("tests write short messages");
        super::Message::parse(&octets).expect("its header is right")
    }
}
