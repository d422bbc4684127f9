/// A snapshot as a file: a short header in ASCII, then the bytes of each section.
///
/// The header names every section with its length and SHA-256, and ends with its own digest, so
/// that a file that was cut, changed or added to anywhere is refused. The same content gives the
/// same bytes: nothing depends on the clock.
///
/// ```
/// weir-snapshot 1
/// kernel 6.18.44
/// machine x86_64
/// byte-order little
/// generation 12
/// section nftables 5220 4b1c…
/// section host 812 90ab…
/// header 77e0…
/// ```
public struct SnapshotFile: Hashable, Sendable {
  /// A named run of bytes.
  public struct Section: Hashable, Sendable {
    /// `nftables`, `host`: lower-case letters, digits and hyphens, 1…32, a letter first.
    public var name: String
    /// The content.
    public var bytes: ArraySlice<UInt8>

    /// Makes a section.
    public init(name: String, bytes: ArraySlice<UInt8>) {
      precondition(SnapshotHeader.isSectionName(Array(name.utf8)[...]))
      self.name = name
      self.bytes = bytes
    }
  }

  /// The most bytes of a file that are read: room for four million prefixes.
  public static let sizeLimitBytes = 256 << 20

  /// What `uname -r` says: 1…64 visible ASCII characters.
  public let kernelRelease: String
  /// What `uname -m` says; the layout of xt blobs depends on it.
  public let machine: String
  /// The generation at which the rules were read.
  public let generation: UInt32
  /// In the order of the file; no name twice.
  public let sections: [Section]

  /// Puts a snapshot together.
  ///
  /// - Precondition: names and words are as the header can hold them.
  public init(kernelRelease: String, machine: String, generation: UInt32, sections: [Section]) {
    precondition(Set(sections.map(\.name)).count == sections.count)
    precondition(sections.count <= SnapshotHeader.mostSections)
    self.kernelRelease = SnapshotHeader.word(kernelRelease)
    self.machine = SnapshotHeader.word(machine)
    self.generation = generation
    self.sections = sections
  }

  /// Reads a file and checks every digest.
  ///
  /// - Throws: ``SnapshotError``. O(n), at the speed of SHA-256; the sections share `bytes`.
  public init(parsing bytes: [UInt8]) throws(SnapshotError) {
    guard bytes.count <= Self.sizeLimitBytes else { throw .tooLarge(bytes: bytes.count) }
    let header = try SnapshotHeader(bytes)
    var sections: [Section] = []
    var offset = header.byteCount
    for entry in header.entries {
      let present = bytes.count - offset
      guard entry.byteCount <= present else {
        throw .truncated(section: entry.name, expected: entry.byteCount, present: present)
      }
      let content = bytes[offset..<offset + entry.byteCount]
      guard content.sha256 == entry.digest else { throw .corrupt(section: entry.name) }
      sections.append(Section(name: entry.name, bytes: content))
      offset += entry.byteCount
    }
    guard offset == bytes.count else { throw .trailingBytes(bytes.count - offset) }
    self.init(
      kernelRelease: header.kernelRelease, machine: header.machine,
      generation: header.generation, sections: sections)
  }

  /// The content of a section.
  ///
  /// - Throws: ``SnapshotError/missingSection(_:)``.
  public func section(_ name: String) throws(SnapshotError) -> ArraySlice<UInt8> {
    guard let found = sections.first(where: { $0.name == name }) else {
      throw .missingSection(name)
    }
    return found.bytes
  }

  /// The file's bytes in pieces, one behind the other: the header, then each section.
  ///
  /// O(n), at the speed of SHA-256.
  public var pieces: [ArraySlice<UInt8>] {
    let header = SnapshotHeader(
      kernelRelease: kernelRelease, machine: machine, generation: generation,
      entries: sections.map {
        .init(name: $0.name, byteCount: $0.bytes.count, digest: $0.bytes.sha256)
      })
    return [header.encoded()[...]] + sections.map(\.bytes)
  }

  /// The file's bytes.
  ///
  /// O(n), at the speed of SHA-256.
  public func encoded() -> [UInt8] { Array(pieces.joined()) }
}
