extension ExtensionTarget {
  /// What the target does; nil for a target, a revision, a length or a bit that is not known.
  ///
  /// The same name may have another structure in another family.
  public func value(in family: TableFamily) -> TargetValue? {
    switch (name, revision) {
    case ("REJECT", 0): return rejectValue(family)
    case ("LOG", 0): return logValue
    case ("NFLOG", 0): return nflogValue
    case ("MARK", 2):
      guard var reader = StructureReader(info, size: 8) else { return nil }
      return .mark(value: reader.take(), mask: reader.take())
    case ("CONNMARK", _): return ConnmarkTarget(info, revision: revision).map(TargetValue.connmark)
    case ("DNAT", _): return translation(family).map(TargetValue.destinationNAT)
    case ("SNAT", _): return translation(family).map(TargetValue.sourceNAT)
    case ("MASQUERADE", 0): return translation(family).map(TargetValue.masquerade)
    case ("REDIRECT", 0): return translation(family).map(TargetValue.redirect)
    case ("NETMAP", 0): return translation(family).map(TargetValue.netmap)
    case ("CT", _): return ConntrackTarget(info, revision: revision).map(TargetValue.ct)
    default: return smallValue
    }
  }

  private var smallValue: TargetValue? {
    switch (name, revision) {
    case ("NOTRACK", 0): return info.isEmpty ? .notrack : nil
    case ("TRACE", 0): return info.isEmpty ? .trace : nil
    case ("TCPMSS", 0):
      guard var reader = StructureReader(info, size: 2) else { return nil }
      let size: UInt16 = reader.take()
      return .tcpMSS(size == .max ? nil : size)
    case ("CLASSIFY", 0):
      guard var reader = StructureReader(info, size: 4) else { return nil }
      return .classify(priority: reader.take())
    case ("CHECKSUM", 0):
      guard var reader = StructureReader(info, size: 1) else { return nil }
      return reader.take(UInt8.self) == 1 ? .checksum : nil
    case ("NFQUEUE", _): return queueValue
    default: return nil
    }
  }

  /// `struct ipt_reject_info`, `struct ip6t_reject_info`.
  private func rejectValue(_ family: TableFamily) -> TargetValue? {
    guard var reader = StructureReader(info, size: 4) else { return nil }
    let number: UInt32 = reader.take()
    switch (family, number) {
    case (.ip, 0...3), (.ip, 5...8):
      // Unreachable, by the order of the enum: net, host, protocol, port, echo reply, net, host and
      // admin prohibited, the reset among them.
      let codes: [UInt32: UInt8] = [0: 0, 1: 1, 2: 2, 3: 3, 5: 9, 6: 10, 8: 13]
      return .reject(codes[number].map { .icmp(type: 3, code: $0) } ?? .tcpReset)
    case (.ip6, 0...4): return .reject(.icmp(type: 1, code: UInt8(number)))
    case (.ip6, 6): return .reject(.tcpReset)
    case (.ip6, 7), (.ip6, 8): return .reject(.icmp(type: 1, code: UInt8(number) - 2))
    default: return nil
    }
  }

  /// `struct xt_log_info`.
  private var logValue: TargetValue? {
    guard var reader = StructureReader(info, size: 32) else { return nil }
    let level: UInt8 = reader.take()
    let flags: UInt8 = reader.take()
    guard level <= 7, flags & ~0x2f == 0, let prefix = reader.takeText(30) else { return nil }
    return .log(level: level, flags: flags, prefix: prefix)
  }

  /// `struct xt_nflog_info`.
  private var nflogValue: TargetValue? {
    guard var reader = StructureReader(info, size: 76) else { return nil }
    let length: UInt32 = reader.take()
    let group: UInt16 = reader.take()
    let threshold: UInt16 = reader.take()
    let flags: UInt16 = reader.take()
    reader.skip(2)
    guard flags <= 1, let prefix = reader.takeText(64) else { return nil }
    return .nflog(
      group: group, prefix: prefix, lengthBytes: flags == 1 ? length : nil, threshold: threshold)
  }

  /// `struct xt_NFQ_info` and `_v1` to `_v3`, by revision.
  private var queueValue: TargetValue? {
    let sizes = [2, 4, 6, 6]
    guard revision <= 3, var reader = StructureReader(info, size: sizes[Int(revision)]) else {
      return nil
    }
    let number: UInt16 = reader.take()
    let total: UInt16 = revision >= 1 ? reader.take() : 1
    let flags: UInt16 = revision >= 2 ? reader.take() : 0
    return flags <= (revision == 2 ? 1 : 3)
      ? .queue(number: number, total: total, flags: flags) : nil
  }

  /// `struct nf_nat_ipv4_multi_range_compat`, `nf_nat_range`, `nf_nat_range2`.
  ///
  /// The targets of IPv4 have the first at revision 0; all others of both families the second, but
  /// `DNAT` and `SNAT` the third at revision 2.
  private func translation(_ family: TableFamily) -> TranslationTarget? {
    guard let length = family.addressBytes else { return nil }
    switch revision {
    case 0 where family == .ip: return TranslationTarget(singleRange: info)
    case 0 where name == "DNAT" || name == "SNAT": return nil
    case 0, 1: return TranslationTarget(info, addressBytes: length, hasBase: false)
    case 2: return TranslationTarget(info, addressBytes: length, hasBase: true)
    default: return nil
    }
  }
}

extension ConnmarkTarget {
  /// `struct xt_connmark_tginfo1` and `2`, by revision.
  init?(_ info: [UInt8], revision: UInt32) {
    guard (1...2).contains(revision),
      var reader = StructureReader(info, size: revision == 1 ? 13 : 15)
    else { return nil }
    let value: UInt32 = reader.take()
    let flowMask: UInt32 = reader.take()
    let packetMask: UInt32 = reader.take()
    var shift = 0
    if revision == 2 {
      let isRight = reader.takeFlag()
      shift = Int(reader.take(UInt8.self)) * (isRight ? -1 : 1)
    }
    let mode: UInt8 = reader.take()
    guard mode <= 2, abs(shift) < 32 else { return nil }
    self.init(
      mode: mode, value: value, flowMask: flowMask, packetMask: packetMask, shift: shift)
  }
}

extension TranslationTarget {
  /// `struct nf_nat_ipv4_multi_range_compat`, which holds one range.
  init?(singleRange info: [UInt8]) {
    guard var reader = StructureReader(info, size: 20), reader.take(UInt32.self) == 1 else {
      return nil
    }
    let flags = NATFlags(rawValue: reader.take())
    let addresses = AddressRange(Array(reader.take(4)), Array(reader.take(4)))
    let ports = (reader.takeNetworkOrder(), reader.takeNetworkOrder())
    self.init(flags, addresses, ports, base: 0)
  }

  /// `struct nf_nat_range`, and `nf_nat_range2` with a base port.
  init?(_ info: [UInt8], addressBytes: Int, hasBase: Bool) {
    guard var reader = StructureReader(info, size: hasBase ? 44 : 40) else { return nil }
    let flags = NATFlags(rawValue: reader.take())
    let first = Array(reader.take(16).prefix(addressBytes))
    let last = Array(reader.take(16).prefix(addressBytes))
    let ports = (reader.takeNetworkOrder(), reader.takeNetworkOrder())
    let base = hasBase ? reader.takeNetworkOrder() : 0
    self.init(flags, AddressRange(first, last), ports, base: base)
  }

  private init?(
    _ flags: NATFlags, _ addresses: AddressRange, _ ports: (UInt16, UInt16), base: UInt16
  ) {
    guard flags.isSubset(of: .known), ports.0 <= ports.1 || !flags.contains(.portSpecified) else {
      return nil
    }
    self.init(
      addresses: flags.contains(.mapAddresses) ? addresses : nil,
      ports: flags.contains(.portSpecified) ? ports.0...ports.1 : nil,
      basePort: flags.contains(.portOffset) ? base : nil,
      flags: flags.subtracting([.mapAddresses, .portSpecified, .portOffset]))
  }
}

extension ConntrackTarget {
  /// `struct xt_ct_target_info` and `_v1`, by revision; events must be none.
  init?(_ info: [UInt8], revision: UInt32) {
    guard revision <= 2, var reader = StructureReader(info, size: revision == 0 ? 40 : 72) else {
      return nil
    }
    let flags: UInt16 = reader.take()
    let zone: UInt16 = reader.take()
    reader.skip(8)
    guard flags <= 31, let helper = reader.takeText(16),
      let timeout = revision == 0 ? "" : reader.takeText(32)
    else { return nil }
    self.init(
      isNotrack: flags & 1 != 0, zone: zone, zoneFlags: flags & 0x1c, helper: helper,
      timeout: timeout)
  }
}
