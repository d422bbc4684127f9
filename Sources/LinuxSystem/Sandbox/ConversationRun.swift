import ConnectionReplay
import Glibc

/// The conversations in flight and what came of those that are done.
struct ConversationRun {
  var observations: [Observation]
  private(set) var inFlight: [Conversation] = []
  private var marked: [WireMark: Conversation] = [:]

  init(_ count: Int) {
    observations = [Observation](repeating: .notTried("not reached"), count: count)
  }

  mutating func add(_ conversation: Conversation) {
    inFlight.append(conversation)
    if let mark = conversation.mark { marked[mark] = conversation }
  }

  /// Waits until something happens, and settles what it decides.
  mutating func step(_ witness: PacketWitness) {
    guard !inFlight.isEmpty else { return }
    var requests = inFlight.map { $0.request }
    _ = unsafe poll(&requests, nfds_t(requests.count), patience)
    let marked = marked
    _ = witness.look { packet in
      if let mark = WireMark(packet: packet) { marked[mark]?.wasSeen = true }
    }
    let now = ProcessFacts.monotonicNanoseconds()
    var remaining: [Conversation] = []
    for (conversation, request) in zip(inFlight, requests) {
      if let outcome = outcome(of: conversation, request, now) {
        observations[conversation.index] = .conversation(outcome)
        if let mark = conversation.mark { self.marked[mark] = nil }
      } else {
        remaining.append(conversation)
      }
    }
    inFlight = remaining
  }

  private func outcome(
    of conversation: Conversation, _ request: pollfd, _ now: UInt64
  ) -> ConversationOutcome? {
    if conversation.isWatching && conversation.wasSeen { return .left }
    if request.revents != 0, let outcome = conversation.advance() { return outcome }
    return now >= conversation.deadline ? conversation.expire() : nil
  }

  /// Milliseconds until the first conversation gives up; short while only the witness can tell.
  private var patience: Int32 {
    if inFlight.contains(where: \.isWatching) { return 1 }
    let now = ProcessFacts.monotonicNanoseconds()
    let first = inFlight.lazy.map(\.deadline).min() ?? now
    return first <= now ? 0 : Int32(clamping: (first - now) / 1_000_000 + 1)
  }
}
