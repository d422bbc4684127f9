import Bytecode
import NetworkTypes

/// What a packet carries from hook to hook besides its bytes and its mark.
///
/// Only walks over whole paths have one; a class, so that the machine's own state stays small.
final class RareState {
  let surroundings: Surroundings
  var choices: Choices
  /// The hook that the packet is at.
  var hook = Hook.output
  /// Whether conntrack has looked at the packet.
  var isPastConntrack = false
  var ctStatus: Fact<UInt32> = .absent
  var ctMark: Fact<UInt32> = .absent
  var ctDirection: Fact<UInt8> = .absent
  var flow: Fact<TrackedFlow> = .absent
  /// What the nat chain at hand asks for.
  var translation: Translation?
  var isTranslated = false
  /// What rules set that loads read: priority, packet type, labels.
  var changes: [Expression: Fact<[UInt8]>] = [:]
  /// Elements that rules added or deleted, by set.
  var setChanges: [UInt32: SetChanges] = [:]
  /// Where copies were sent, by number of ``Program/places``.
  var copyPoints: [UInt32] = []
  /// What the instruction at hand lacks, where the instruction does not tell.
  var missing: String?
  /// Where an undecided rule stopped.
  var obstacle: Choices.Point?
  /// Whether the packet's addresses are others than those it came with.
  var isAddressChanged = false

  init(_ surroundings: Surroundings, _ choices: Choices) {
    self.surroundings = surroundings
    self.choices = choices
  }
}

/// What rules did to a set while the packet passed.
struct SetChanges {
  /// By key: what a lookup now finds, or nil after a deletion.
  var elements: [[UInt8]: SlowSet.Element?] = [:]
  /// How many elements are new.
  var additions = 0
}
