import Foundation
import NetworkTypes
import PolicyLanguage

/// What one download of a published list says.
struct PublishedList: Hashable {
  /// The addresses of the parts that were asked for, or of all.
  var addresses = AddressSet()
  /// When the publisher made it, seconds since 1970, where the list says so.
  var dated: Int?
  /// A number that grows with each edition, where the list has one.
  var serial: Int?

  /// Why a download is no list.
  struct Problem: Error, Hashable {
    let text: String
    init(_ text: String) { self.text = text }
  }

  /// Reads a download, strictly: a range that is not spelled as ranges are, host bits included, refuses
  /// the whole list.
  ///
  /// - Parameters:
  ///   - bytes: the body as it came.
  ///   - format: how it is written.
  ///   - only: the parts that are taken, each of which must be there; empty for all.
  /// - Throws: ``Problem``.
  init(_ bytes: [UInt8], _ format: FeedFormat, only: [String] = []) throws(Problem) {
    guard let first = bytes.first(where: { $0 > 0x20 }) else { throw Problem("it is empty") }
    if first == UInt8(ascii: "<") { throw Problem("it is a page of HTML or XML, not a list") }
    switch format {
    case .list: try readLines(bytes)
    case .csv: try readTable(bytes)
    default:
      var rows = Rows()
      do {
        rows = try Rows(Data(bytes), format)
      } catch let problem as Problem {
        throw problem
      } catch let error as DecodingError {
        throw Problem("it is not written as `\(format.rawValue)` lists are: \(error.reason)")
      } catch {
        throw Problem("it is not written as `\(format.rawValue)` lists are")
      }
      try take(rows, only)
      dated = rows.created.flatMap(secondsSince1970)
      serial = rows.serial
    }
    if addresses.isEmpty { throw Problem("it has no addresses") }
  }

  private mutating func readLines(_ bytes: [UInt8]) throws(Problem) {
    let list = AddressList(bytes.span, keepingProblems: 1)
    if let problem = list.problems.first {
      throw Problem("line \(problem.line): \(problem.reason)")
    }
    addresses = list.addresses
  }

  private mutating func readTable(_ bytes: [UInt8]) throws(Problem) {
    var blocks: [AddressBlock] = []
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let text = String(
        decoding: line.prefix { $0 != UInt8(ascii: ",") && $0 != 0x0d }, as: UTF8.self)
      guard !text.isEmpty else { continue }
      do throws(LiteralError) {
        blocks.append(try AddressBlock(strict: text))
      } catch {
        throw Problem("line \(index + 1): \(error)")
      }
    }
    addresses = AddressSet(blocks)
  }

  private mutating func take(_ rows: Rows, _ only: [String]) throws(Problem) {
    let wanted = Set(only)
    var seen: Set<String> = []
    var blocks: [AddressBlock] = []
    for row in rows.ranges {
      if !wanted.isEmpty {
        let parts = wanted.intersection(row.parts)
        seen.formUnion(parts)
        if parts.isEmpty { continue }
      }
      do throws(LiteralError) {
        blocks.append(try AddressBlock(strict: row.text))
      } catch {
        throw Problem("\(error)")
      }
    }
    if let missing = only.first(where: { !seen.contains($0) }) {
      throw Problem("it has no part `\(missing)`")
    }
    addresses = AddressSet(blocks)
  }
}

/// The ranges of a JSON list as they stand there.
private struct Rows {
  var ranges: [(text: String, parts: [String])] = []
  var created: String?
  var serial: Int?

  init() {}

  init(_ data: Data, _ format: FeedFormat) throws {
    let decoder = JSONDecoder()
    switch format {
    case .list, .csv: break
    case .google:
      let list = try decoder.decode(Google.self, from: data)
      created = list.creationTime
      ranges = try list.prefixes.map { row in
        guard let text = row.ipv4Prefix ?? row.ipv6Prefix else {
          throw PublishedList.Problem("a row has neither ipv4Prefix nor ipv6Prefix")
        }
        return (text, [row.scope, row.service].compactMap(\.self))
      }
    case .aws:
      let list = try decoder.decode(AWS.self, from: data)
      created = list.createDate
      ranges =
        list.prefixes.map { ($0.ip_prefix, [$0.service, "\($0.service).\($0.region)"]) }
        + list.ipv6_prefixes.map { ($0.ipv6_prefix, [$0.service, "\($0.service).\($0.region)"]) }
    case .azure:
      let list = try decoder.decode(Azure.self, from: data)
      serial = list.changeNumber
      ranges = list.values.flatMap { tag in
        tag.properties.addressPrefixes.map { ($0, [tag.name]) }
      }
    case .github:
      let list = try decoder.decode([String: GitHubValue].self, from: data)
      ranges = list.sorted { $0.key < $1.key }.flatMap { key, value in
        GitHubValue.notAddresses.contains(key) ? [] : value.texts.map { ($0, [key]) }
      }
    case .fastly:
      let list = try decoder.decode(Fastly.self, from: data)
      ranges = (list.addresses + list.ipv6_addresses).map { ($0, []) }
    case .oracle:
      let list = try decoder.decode(Oracle.self, from: data)
      created = list.last_updated_timestamp
      ranges = list.regions.flatMap { region in
        region.cidrs.map { ($0.cidr, [region.region] + $0.tags) }
      }
    }
  }
}

// The publishers' own spelling, and no more of it than is used.

private struct Google: Decodable {
  struct Row: Decodable { let ipv4Prefix, ipv6Prefix, scope, service: String? }
  let creationTime: String?
  let prefixes: [Row]
}

private struct AWS: Decodable {
  struct V4: Decodable { let ip_prefix, service, region: String }
  struct V6: Decodable { let ipv6_prefix, service, region: String }
  let createDate: String?
  let prefixes: [V4]
  let ipv6_prefixes: [V6]
}

private struct Azure: Decodable {
  struct Tag: Decodable {
    struct Properties: Decodable { let addressPrefixes: [String] }
    let name: String
    let properties: Properties
  }
  let changeNumber: Int
  let values: [Tag]
}

private struct Fastly: Decodable { let addresses, ipv6_addresses: [String] }

private struct Oracle: Decodable {
  struct Region: Decodable {
    struct Range: Decodable {
      let cidr: String
      let tags: [String]
    }
    let region: String
    let cidrs: [Range]
  }
  let last_updated_timestamp: String?
  let regions: [Region]
}

/// A list of texts, or something else that is no range.
private struct GitHubValue: Decodable {
  /// Lists of texts that are no addresses.
  static let notAddresses: Set<String> = [
    "ssh_keys", "commit_signing_keys", "ssh_key_fingerprints",
  ]
  let texts: [String]

  init(from decoder: any Decoder) throws {
    texts = (try? decoder.singleValueContainer().decode([String].self)) ?? []
  }
}

extension DecodingError {
  /// What is wrong and where, in one line.
  fileprivate var reason: String {
    switch self {
    case .keyNotFound(let key, let context): "\(context.place) has no `\(key.stringValue)`"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "\(context.place) is not what it should be"
    case .dataCorrupted: "it ends early, or is no JSON"
    @unknown default: "it is no JSON"
    }
  }
}

extension DecodingError.Context {
  fileprivate var place: String {
    codingPath.isEmpty
      ? "it"
      : codingPath.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
  }
}

/// Seconds since 1970 of `2026-05-06T02:57:06.5` or `2026-05-06-02-57-06`, as UTC; nil for another text.
func secondsSince1970(_ text: String) -> Int? {
  let numbers = text.prefix(19).split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
  guard numbers.count == 6, text.utf8.count >= 19,
    1970...9999 ~= numbers[0], 1...12 ~= numbers[1], 1...31 ~= numbers[2], 0...23 ~= numbers[3],
    0...59 ~= numbers[4], 0...60 ~= numbers[5]
  else { return nil }
  // Days of the civil calendar, the year starting in March.
  let year = numbers[0] - (numbers[1] < 3 ? 1 : 0)
  let month = (numbers[1] + 9) % 12
  let days =
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + numbers[2] - 1
    - 719_468
  return ((days * 24 + numbers[3]) * 60 + numbers[4]) * 60 + numbers[5]
}
