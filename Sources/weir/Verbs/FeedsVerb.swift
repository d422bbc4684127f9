import ArgumentParser
import Operations

struct FeedsVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "feeds",
    abstract: "Keep published lists of address ranges as list files for policies.",
    discussion: """
      Clouds and networks publish the ranges that they use. A feeds file says
      which of them become which list file; policies name those with
      `{file: google.txt}`. What is published is believed within limits only:
      an edition that is empty, no list, too large, too old, older than the last,
      much smaller, wider than a publisher can be, or not of public addresses is
      refused, and the file stays the last good edition.

        feeds: published-ranges
        lists:
          - to: google.txt
            format: google
            from: https://www.gstatic.com/ipranges/goog.json
            minus: https://www.gstatic.com/ipranges/cloud.json
          - {to: s3.txt, format: aws, only: S3,
             from: "https://ip-ranges.amazonaws.com/ip-ranges.json"}

      `weir guard --feeds` keeps them fresh and puts what tightens the policy in
      force. Nothing here needs root.

      EXAMPLES
        weir feeds update feeds.yaml
        weir feeds list feeds.yaml --format json
      """,
    subcommands: [Update.self, List.self])

  struct Update: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "update",
      abstract: "Fetch the lists, and put what is believed in their files.",
      discussion: """
        Exit code 1 when an edition was refused or could not be fetched; the other
        lists are updated all the same.

        EXAMPLES
          weir feeds update feeds.yaml
          weir feeds update feeds.yaml --due     for a timer
          weir feeds update feeds.yaml --accept  after looking at what was refused
        """)

    @OptionGroup var file: FeedsArgument
    @Flag(help: "Leave lists alone that are not due.")
    var due = false
    @Flag(help: "Believe an edition once that is old, small, or follows a damaged file.")
    var accept = false
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        var request = try FeedRequest(path: file.feeds)
        request.onlyDue = due
        request.accepts = accept
        let progress = ProgressLine()
        let report = updateFeeds(request) { progress.show($0) }
        progress.clear()
        return try FeedsVerb.show(report, format)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "Tell how old the list files are.",
      discussion: """
        Exit code 1 when one is missing, damaged or due.

        EXAMPLES
          weir feeds list feeds.yaml
        """)

    @OptionGroup var file: FeedsArgument
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        try FeedsVerb.show(listFeeds(try FeedRequest(path: file.feeds)), format)
      }
    }
  }
}

extension FeedsVerb {
  fileprivate static func show(
    _ report: FeedReport, _ format: ReportFormat
  ) throws -> ExitStatus {
    switch format {
    case .text: Console.write(report.text)
    case .json: Console.write(try Console.json(report))
    }
    return report.status
  }
}

extension FeedReport {
  fileprivate var text: String {
    lists.map { list in
      let count =
        list.fetched == nil
        ? "" : ", \(list.addresses4) IPv4 addresses, \(list.networks6) IPv6 networks"
      var lines = ["\(list.path): \(list.outcome.rawValue)\(count)"]
      if !list.reason.isEmpty { lines.append("  \(list.reason)") }
      if list.outcome == .updated {
        lines += list.added.prefix(FeedReport.shownRanges).map { "  + \($0)" }
        lines += list.removed.prefix(FeedReport.shownRanges).map { "  - \($0)" }
        let more = [list.added, list.removed].map { max(0, $0.count - FeedReport.shownRanges) }
        if more[0] + more[1] > 0 { lines.append("  and more; --format json lists a hundred") }
      }
      return lines.joined(separator: "\n") + "\n"
    }.joined()
  }

  private static let shownRanges = 10
}

struct FeedsArgument: ParsableArguments {
  @Argument(help: "The feeds file.")
  var feeds: String
}
