public import NetworkTypes

/// How a published list of address ranges is written.
public enum FeedFormat: String, CaseIterable, Sendable {
  /// Addresses, prefixes and ranges, one a line; `#` starts a comment.
  case list
  /// `prefixes: [{ipv4Prefix | ipv6Prefix, scope}]`: goog.json, cloud.json, Googlebot.
  case google
  /// AWS `ip-ranges.json`.
  case aws
  /// Azure service tags.
  case azure
  /// GitHub's `meta`.
  case github
  /// Fastly's `public-ip-list`.
  case fastly
  /// Oracle's `public_ip_ranges.json`.
  case oracle
  /// Comma-separated lines whose first field is a prefix.
  case csv

  /// Whether the list says what each range is for, so that `only` can choose.
  public var hasParts: Bool {
    switch self {
    case .google, .aws, .azure, .github, .oracle: true
    case .list, .fastly, .csv: false
    }
  }
}

/// One list file, and the published lists that it is made from.
public struct FeedList: Hashable, Sendable {
  /// The list file's path, from where weir runs.
  public let path: String
  /// How the published lists are written.
  public let format: FeedFormat
  /// Where they are; their ranges together.
  public let from: [String]
  /// Published lists whose ranges are taken out.
  public let minus: [String]
  /// The parts of the lists that are taken; empty for all.
  public let only: [String]
  /// So long an edition counts as fresh.
  public var everySeconds = 86_400
  /// A list whose own date is older is refused; nil for any age.
  public var maxAgeSeconds: Int? = 30 * 86_400
  /// A new edition may have so many per cent fewer addresses of a family.
  public var maxShrinkPercent = 25
  /// So large a download may be.
  public var maxBytes = 32 << 20
  /// Whether private and other special addresses refuse an edition.
  public var isPublic = true
  /// A file of certificate authorities; nil for the system's.
  public var authorities: String?
  /// Where it stands.
  public let location: SourceLocation
}

/// Published lists that are kept as list files for policies to name.
public struct FeedFile: Hashable, Sendable {
  /// Its name.
  public let name: String
  /// The lists in the order of the file; no path twice.
  public let lists: [FeedList]
}

private enum FeedFileKey: String, CaseIterable { case feeds, about, lists }

private enum FeedListKey: String, CaseIterable {
  case to, format, from, minus, only, every, space, authorities
  case maxAge = "max-age"
  case maxShrink = "max-shrink"
  case maxBytes = "max-bytes"
}

/// Feeds text → checked ``FeedFile``; nothing is fetched.
public enum FeedFileParser {
  /// Reads a feeds file.
  ///
  /// - Parameters:
  ///   - path: as the user wrote it; locations repeat it, and list files are beside it.
  ///   - source: where files come from.
  ///   - limits: how much a file may ask for.
  /// - Returns: the feeds, nil if any diagnostic is an error; diagnostics by line.
  ///
  /// Example: `lists: [{to: edge.txt, format: list, from: "https://example.net/ips"}]`.
  public static func parse(
    path: String, source: some PolicySource, limits: ParserLimits = ParserLimits()
  ) -> (feeds: FeedFile?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog(keeping: limits.diagnostics)
    let reader = FileReader(source: source, log: log, limits: limits)
    guard let node = reader.policy(at: path, reference: nil),
      let fields = log.fields(of: node, FeedFileKey.self, of: "a feeds file")
    else { return (nil, log.finished()) }
    for key in [FeedFileKey.feeds, .lists] where fields.mentioned[key] == nil {
      log.fileError(
        .missingKey, "there is no `\(key.rawValue):`", file: path,
        "a feeds file has a name, `feeds:`, and a list, `lists:`")
    }
    let name = fields[.feeds].flatMap { log.name($0.value, "feeds") }
    let directory = PolicyPath.directory(of: path)
    var first: [String: SyntaxNode] = [:]
    var lists: [FeedList] = []
    for item in fields[.lists].flatMap({ log.items($0.value, "list", orOne: false) }) ?? [] {
      guard let list = log.feedList(item, directory) else { continue }
      if let other = first.updateValue(item, forKey: list.path) {
        log.error(
          .duplicateKey, "`\(list.path)` is written twice", at: item,
          .init("the first one is here", at: other.location))
      }
      lists.append(list)
    }
    guard let name, !log.hasErrors else { return (nil, log.finished()) }
    return (FeedFile(name: name, lists: lists), log.finished())
  }
}

extension DiagnosticLog {
  fileprivate func feedList(_ item: SyntaxNode, _ directory: String) -> FeedList? {
    guard let fields = fields(of: item, FeedListKey.self, of: "a list") else { return nil }
    for key in [FeedListKey.to, .format, .from] where fields.mentioned[key] == nil {
      error(
        .missingKey, "a list has a `\(key.rawValue)`", at: item,
        .init("write it like `{to: edge.txt, format: list, from: \"https://example.net/ips\"}`"))
    }
    guard let to = fields[.to].flatMap({ text($0.value, "a path") }),
      let format = fields[.format].flatMap({ feedFormat($0.value) }),
      let from = texts(fields[.from], "address")
    else { return nil }
    let minus = texts(fields[.minus], "address") ?? []
    let only = texts(fields[.only], "part") ?? []
    if !only.isEmpty, !format.hasParts, let node = fields.mentioned[.only] {
      error(
        .invalidValue, "a list of the format `\(format.rawValue)` has no parts to choose from",
        at: node, .init("leave `only` out"))
    }
    var list = FeedList(
      path: to.hasPrefix("/") ? to : directory + to, format: format, from: from, minus: minus,
      only: only, location: item.location)
    if let every = duration(fields[.every]), let node = fields[.every]?.value {
      if let seconds = every.value, seconds >= 60 {
        list.everySeconds = seconds
      } else {
        error(
          .invalidValue, "a list is fetched every minute at most", at: node,
          .init("write `1h`, `1d`, or leave it out for a day"))
      }
    }
    if let age = duration(fields[.maxAge]) { list.maxAgeSeconds = age.value }
    if let percent = number(fields[.maxShrink], 0...100, "a percentage from 0 to 100") {
      list.maxShrinkPercent = percent
    }
    if let bytes = number(fields[.maxBytes], 1...(64 << 20), "bytes, 1 to 67108864") {
      list.maxBytes = bytes
    }
    if let node = fields[.space]?.value, let space = text(node, "`public` or `any`") {
      switch space {
      case "public": break
      case "any": list.isPublic = false
      default:
        error(
          .invalidValue, "`\(space)` is no space of addresses", at: node,
          .init("write `public` or `any`"))
      }
    }
    if let path = fields[.authorities].flatMap({ text($0.value, "a path") }) {
      list.authorities = path.hasPrefix("/") ? path : directory + path
    }
    return list
  }

  private func feedFormat(_ node: SyntaxNode) -> FeedFormat? {
    guard let name = text(node, "a format") else { return nil }
    if let format = FeedFormat(rawValue: name) { return format }
    let names = FeedFormat.allCases.map(\.rawValue)
    error(
      .invalidValue, "`\(name)` is no format of a published list", at: node,
      didYouMean(name, among: names) ?? .init("formats are \(self.list(names))"))
    return nil
  }

  private func texts(_ field: Field?, _ what: String) -> [String]? {
    guard let field, let items = items(field.value, what, orOne: true) else { return nil }
    let texts = items.compactMap { text($0, "an \(what)") }
    return texts.count == items.count ? texts : nil
  }

  private func number(_ field: Field?, _ range: ClosedRange<Int>, _ what: String) -> Int? {
    guard let node = field?.value, let text = text(node, what) else { return nil }
    if let number = Int(text), String(number) == text, range.contains(number) { return number }
    error(.invalidValue, "`\(text)` is no number of \(what)", at: node, .init("write \(what)"))
    return nil
  }
}
