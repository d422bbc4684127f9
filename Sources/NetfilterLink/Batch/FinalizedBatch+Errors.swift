import Bytecode
import CNetfilter
import Glibc
import NetworkTypes

// From an error reply to the policy line: sequence number → message → attribute offset → part.

extension FinalizedBatch {
  /// The error of one refused message.
  func error(
    _ entry: Batch.Entry, _ reply: ErrorReply, furtherRefusals: Int
  ) -> KernelError {
    guard let kind = entry.kind else {
      let isMoved = reply.errorNumber == ERESTART
      return KernelError(
        operation: "committing \(batch.changeCount) changes",
        cause: isMoved ? .generationMoved : .refused(reply.errorNumber), kernelText: reply.text,
        furtherRefusals: furtherRefusals)
    }
    let part = reply.offset.flatMap { findPart(entry, kind, offset: $0) }
    return KernelError(
      operation: kind.verb,
      cause: reply.errorNumber == ERESTART ? .generationMoved : .refused(reply.errorNumber),
      messageKind: kind.name, subject: entry.subject.description, part: part?.text,
      kernelText: reply.text,
      advice: KernelFeature.advice(
        errorNumber: reply.errorNumber, expression: part?.expression, kind: kind),
      furtherRefusals: furtherRefusals)
  }

  /// The expression or element an attribute offset lies in.
  private func findPart(
    _ entry: Batch.Entry, _ kind: MessageKind, offset: Int
  ) -> (text: String, expression: String?)? {
    let bytes = batch.buffer.copy(from: entry.offset)
    let message = bytes.span
    switch (entry.subject, kind) {
    case (.rule(_, _, let rule), .newRule):
      let list = Int(NFTA_RULE_EXPRESSIONS.rawValue)
      guard let found = message.child(of: list, at: offset),
        rule.expressions.indices.contains(found.index)
      else { return nil }
      let name = rule.expressions[found.index].name
      return ("expression \(found.index + 1) (\(name))", name)
    case (.recorded, .newRule):
      let list = Int(NFTA_RULE_EXPRESSIONS.rawValue)
      guard let found = message.child(of: list, at: offset) else { return nil }
      let fields = try? AttributeFields(message, found.payload, last: 2)
      let name = message.name(fields?[Int(NFTA_EXPR_NAME.rawValue)]) ?? "unnamed"
      return ("expression \(found.index + 1) (\(name))", name)
    case (.elements, _), (.recorded, .newElements):
      let list = Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)
      guard let found = message.child(of: list, at: offset) else { return nil }
      return ("element \(message.elementText(found.payload))", nil)
    default: return nil
    }
  }
}

extension Span<UInt8> {
  /// The child of a top-level nest that covers `offset`, of a message that starts at 0.
  fileprivate func child(of type: Int, at offset: Int) -> (index: Int, payload: Range<Int>)? {
    let length = Int(hostWord(at: 0))
    guard length <= count, length >= 20,
      let fields = try? AttributeFields(self, 20..<length, last: type), let nest = fields[type]
    else { return nil }
    var found: (index: Int, payload: Range<Int>)?
    var index = 0
    try? forEachAttribute(in: nest) { child throws(MalformedAttribute) in
      if (child.payload.lowerBound - 4..<child.payload.upperBound).contains(offset) {
        found = (index, child.payload)
      }
      index += 1
    }
    return found
  }

  /// An element's key for people: an address, or bytes.
  fileprivate func elementText(_ element: Range<Int>) -> String {
    guard let fields = try? AttributeFields(self, element, last: 11),
      let key = dataValue(fields[NFTA_SET_ELEM_KEY])
    else { return "*" }
    if let address = IPAddress(networkOrderBytes: key) { return address.description }
    return "0x" + key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
