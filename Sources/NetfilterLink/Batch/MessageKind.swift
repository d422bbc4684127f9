import CNetfilter

/// The nf_tables messages weir sends.
///
/// Source: `enum nf_tables_msg_types`, `linux/netfilter/nf_tables.h`.
enum MessageKind: UInt16 {
  case newTable = 0
  case getTable = 1
  case deleteTable = 2
  case newChain = 3
  case getChain = 4
  case deleteChain = 5
  case newRule = 6
  case getRule = 7
  case deleteRule = 8
  case newSet = 9
  case getSet = 10
  case deleteSet = 11
  case newElements = 12
  case getElements = 13
  case deleteElements = 14
  case getGeneration = 16
  case newObject = 18
  case getObject = 19
  case deleteObject = 20
  case newFlowtable = 22
  case getFlowtable = 23

  /// The C name.
  var name: String {
    switch self {
    case .newTable: "NFT_MSG_NEWTABLE"
    case .getTable: "NFT_MSG_GETTABLE"
    case .deleteTable: "NFT_MSG_DELTABLE"
    case .newChain: "NFT_MSG_NEWCHAIN"
    case .getChain: "NFT_MSG_GETCHAIN"
    case .deleteChain: "NFT_MSG_DELCHAIN"
    case .newRule: "NFT_MSG_NEWRULE"
    case .getRule: "NFT_MSG_GETRULE"
    case .deleteRule: "NFT_MSG_DELRULE"
    case .newSet: "NFT_MSG_NEWSET"
    case .getSet: "NFT_MSG_GETSET"
    case .deleteSet: "NFT_MSG_DELSET"
    case .newElements: "NFT_MSG_NEWSETELEM"
    case .getElements: "NFT_MSG_GETSETELEM"
    case .deleteElements: "NFT_MSG_DELSETELEM"
    case .getGeneration: "NFT_MSG_GETGEN"
    case .newObject: "NFT_MSG_NEWOBJ"
    case .getObject: "NFT_MSG_GETOBJ"
    case .deleteObject: "NFT_MSG_DELOBJ"
    case .newFlowtable: "NFT_MSG_NEWFLOWTABLE"
    case .getFlowtable: "NFT_MSG_GETFLOWTABLE"
    }
  }

  /// What it does, for an error's first word.
  var verb: String {
    switch self {
    case .newTable, .newChain, .newRule, .newSet, .newElements, .newObject, .newFlowtable:
      "adding"
    case .deleteTable, .deleteChain, .deleteRule, .deleteSet, .deleteElements, .deleteObject:
      "deleting"
    default: "reading"
    }
  }

  /// The message type on the wire, subsystem included.
  var wireType: UInt16 { UInt16(NFNL_SUBSYS_NFTABLES) << 8 | rawValue }
}
