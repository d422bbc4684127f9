import NetworkTypes

/// The questions of one resolution: which are open, which wait, what came back.
final class ResolutionRun {
  private struct Question {
    var index: Int
    var name: HostName
    var family: Family
  }

  private(set) var answers: [NameAnswer]
  /// In reverse, so that the next one is the last.
  private var waiting: [Question] = []
  private var open = 0

  /// Plans both families of each name; what is no host name is answered at once.
  ///
  /// Until a question is answered its result is ``LookupFailure/timedOut``.
  init(_ names: [String]) {
    answers = []
    for text in names {
      let name = HostName(text)
      let failure = name == nil ? LookupFailure.notAHostName : .timedOut
      if let name {
        waiting += Family.allCases.map { Question(index: answers.count, name: name, family: $0) }
      }
      answers.append(NameAnswer(name: text, v4: .failure(failure), v6: .failure(failure)))
    }
    waiting.reverse()
  }

  var isDone: Bool { waiting.isEmpty && open == 0 }

  /// Sends the next question if fewer than `limit` are open, and says whether it did.
  func askNext(on channel: borrowing Channel, upTo limit: Int) -> Bool {
    guard open < limit, let question = waiting.popLast() else { return false }
    open += 1
    channel.ask(question.name, type: RecordType(question.family)) { status, message in
      self.open -= 1
      self.answers[question.index][question.family] =
        ResolutionRun.outcome(of: question, status: status, message: message)
    }
    return true
  }

  /// Leaves what waits unasked.
  func stopAsking() { waiting = [] }

  private static func outcome(
    of question: Question, status: Status, message: [UInt8]
  ) -> Result<AddressRecords, LookupFailure> {
    if let failure = LookupFailure(status) { return .failure(failure) }
    do throws(MalformedMessage) {
      return try AddressAnswer(message: message, family: question.family)
        .records(for: DomainName(question.name))
    } catch {
      return .failure(.malformed)
    }
  }
}
