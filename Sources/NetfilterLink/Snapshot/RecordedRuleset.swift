import Bytecode
import CNetfilter

/// The messages of a whole dump, as the kernel sent them, at one generation.
///
/// Nothing is decoded on the way, so nothing that this program does not know is lost. The messages
/// stand one behind the other, aligned to 4 bytes: tables, chains, sets, the elements of each set,
/// rules, objects, flowtables. Their sequence and port numbers are 0.
public struct RecordedRuleset: Hashable, Sendable {
  /// The generation that every message carries in its low 16 bits.
  public let generation: UInt32
  /// Netlink messages, `struct nlmsghdr` and `struct nfgenmsg` included.
  public let messages: ArraySlice<UInt8>

  /// Takes messages from elsewhere; ``decoded()`` says whether they are a dump.
  public init(generation: UInt32, messages: ArraySlice<UInt8>) {
    self.generation = generation
    self.messages = messages
  }
}

/// What a message of a recorded dump is about; the order is that of the dump.
///
/// Source: `enum nf_tables_msg_types`, `linux/netfilter/nf_tables.h`.
enum RecordedKind: Int, Comparable {
  case table
  case chain
  case set
  case elements
  case rule
  case object
  case flowtable

  /// Nil for a message that a dump does not hold.
  init?(wireType: UInt16) {
    guard wireType >> 8 == UInt16(NFNL_SUBSYS_NFTABLES) else { return nil }
    switch UInt32(wireType & 0xff) {
    case NFT_MSG_NEWTABLE.rawValue: self = .table
    case NFT_MSG_NEWCHAIN.rawValue: self = .chain
    case NFT_MSG_NEWSET.rawValue: self = .set
    case NFT_MSG_NEWSETELEM.rawValue: self = .elements
    case NFT_MSG_NEWRULE.rawValue: self = .rule
    case NFT_MSG_NEWOBJ.rawValue: self = .object
    case NFT_MSG_NEWFLOWTABLE.rawValue: self = .flowtable
    default: return nil
    }
  }

  /// The attribute that holds the object's own name; nil where it has none.
  var nameAttribute: Int? {
    switch self {
    case .table: Int(NFTA_TABLE_NAME.rawValue)
    case .chain: Int(NFTA_CHAIN_NAME.rawValue)
    case .set: Int(NFTA_SET_NAME.rawValue)
    case .elements: Int(NFTA_SET_ELEM_LIST_SET.rawValue)
    case .object: Int(NFTA_OBJ_NAME.rawValue)
    case .flowtable: Int(NFTA_FLOWTABLE_NAME.rawValue)
    case .rule: nil
    }
  }

  static func < (first: RecordedKind, second: RecordedKind) -> Bool {
    first.rawValue < second.rawValue
  }
}

/// The attribute with the table's name, in every message of a dump.
///
/// `NFTA_TABLE_NAME`, `NFTA_CHAIN_TABLE`, `NFTA_SET_TABLE` and so on are all 1.
let tableNameAttribute = 1
