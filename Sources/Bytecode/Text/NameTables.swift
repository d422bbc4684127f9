/// Names of layer-4 protocols in `/etc/protocols`, by which nft(8) lists them.
///
/// Source: IANA Assigned Internet Protocol Numbers, with the short names of netbase.
enum ProtocolNameTable {
  static let names: [(number: UInt64, word: String)] = [
    (0, "ip"), (1, "icmp"), (2, "igmp"), (3, "ggp"), (4, "ipencap"), (5, "st"), (6, "tcp"),
    (8, "egp"), (9, "igp"), (12, "pup"), (17, "udp"), (20, "hmp"), (22, "xns-idp"), (27, "rdp"),
    (29, "iso-tp4"), (33, "dccp"), (36, "xtp"), (37, "ddp"), (38, "idpr-cmtp"), (41, "ipv6"),
    (43, "ipv6-route"), (44, "ipv6-frag"), (45, "idrp"), (46, "rsvp"), (47, "gre"), (50, "esp"),
    (51, "ah"), (57, "skip"), (58, "ipv6-icmp"), (59, "ipv6-nonxt"), (60, "ipv6-opts"),
    (73, "rspf"), (81, "vmtp"), (88, "eigrp"), (89, "ospf"), (93, "ax.25"), (94, "ipip"),
    (97, "etherip"), (98, "encap"), (103, "pim"), (108, "ipcomp"), (112, "vrrp"), (115, "l2tp"),
    (124, "isis"), (132, "sctp"), (133, "fc"), (135, "mobility-header"), (136, "udplite"),
    (137, "mpls-in-ip"), (138, "manet"), (139, "hip"), (140, "shim6"), (141, "wesp"),
    (142, "rohc"),
  ]
}

/// Names of ICMP and ICMPv6 types and codes in nft(8).
///
/// Source: nft(8), sections ICMP TYPE TYPE, ICMP CODE TYPE, ICMPV6 TYPE TYPE, ICMPV6 CODE TYPE.
enum IcmpNameTable {
  static let types: [(number: UInt64, word: String)] = [
    (0, "echo-reply"), (3, "destination-unreachable"), (4, "source-quench"), (5, "redirect"),
    (8, "echo-request"), (9, "router-advertisement"), (10, "router-solicitation"),
    (11, "time-exceeded"), (12, "parameter-problem"), (13, "timestamp-request"),
    (14, "timestamp-reply"), (15, "info-request"), (16, "info-reply"),
    (17, "address-mask-request"), (18, "address-mask-reply"),
  ]
  static let codes: [(number: UInt64, word: String)] = [
    (0, "net-unreachable"), (1, "host-unreachable"), (2, "prot-unreachable"),
    (3, "port-unreachable"), (4, "frag-needed"), (9, "net-prohibited"), (10, "host-prohibited"),
    (13, "admin-prohibited"),
  ]
  static let v6Types: [(number: UInt64, word: String)] = [
    (1, "destination-unreachable"), (2, "packet-too-big"), (3, "time-exceeded"),
    (4, "parameter-problem"), (128, "echo-request"), (129, "echo-reply"),
    (130, "mld-listener-query"), (131, "mld-listener-report"), (132, "mld-listener-done"),
    (133, "nd-router-solicit"), (134, "nd-router-advert"), (135, "nd-neighbor-solicit"),
    (136, "nd-neighbor-advert"), (137, "nd-redirect"), (138, "router-renumbering"),
    (141, "ind-neighbor-solicit"), (142, "ind-neighbor-advert"), (143, "mld2-listener-report"),
  ]
  static let v6Codes: [(number: UInt64, word: String)] = [
    (0, "no-route"), (1, "admin-prohibited"), (3, "addr-unreachable"), (4, "port-unreachable"),
    (5, "policy-fail"), (6, "reject-route"),
  ]
  /// `NFT_REJECT_ICMPX_*`.
  static let icmpxCodes: [(number: UInt64, word: String)] = [
    (0, "no-route"), (1, "port-unreachable"), (2, "host-unreachable"), (3, "admin-prohibited"),
  ]
}
