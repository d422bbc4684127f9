/// What became of the list files of a feeds file.
public struct FeedReport: Codable, Sendable {
  /// What became of one list.
  public enum Outcome: String, Codable, Sendable {
    /// A new edition is in the file.
    case updated
    /// What is published is what the file has.
    case unchanged
    /// It was not time yet.
    case fresh
    /// Something was published that is not believed; the file is as it was.
    case refused
    /// Nothing could be fetched; the file is as it was.
    case failed
    /// It is time for the next edition; nothing was fetched.
    case due
    /// There is no usable file, and nothing was fetched.
    case missing
  }

  /// One list file.
  public struct List: Codable, Sendable {
    /// Its path.
    public let path: String
    /// What became of it.
    public var outcome: Outcome
    /// Why, in a sentence; empty where there is nothing to say.
    public var reason = ""
    /// Addresses of the file now, by family; IPv6 counted in networks of 64 bits.
    public var addresses4 = 0
    /// See ``addresses4``.
    public var networks6 = 0
    /// When the edition in the file was fetched, seconds since 1970; nil without one.
    public var fetched: Int?
    /// Ranges that the update added, the first hundred.
    public var added: [String] = []
    /// Ranges that it took out, the first hundred.
    public var removed: [String] = []

    /// Makes one without details.
    init(path: String, _ outcome: Outcome, _ reason: String = "") {
      self.path = path
      self.outcome = outcome
      self.reason = reason
    }
  }

  /// Version of this form.
  public var version = 1
  /// The feeds file's name.
  public let feeds: String
  /// The lists in the order of the file.
  public var lists: [List]

  enum CodingKeys: String, CodingKey { case version, feeds, lists }

  /// 0 when every list is as published or not due, 1 when one was refused, failed, due or missing.
  public var status: ExitStatus {
    lists.contains { [.refused, .failed, .due, .missing].contains($0.outcome) } ? .finding : .good
  }
}
