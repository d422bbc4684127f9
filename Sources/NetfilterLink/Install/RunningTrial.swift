import Bytecode
import NetworkTypes

// A trial lays two elements that expire, one a family, above the catch-all of each generation map:
//
//     map generation/out { ipv4 timeout 60s : goto g42/out, ipv6 timeout 60s : goto g42/out,
//                          * : goto g41/out }
//
// The kernel passes over them when their time is up, and packets are back in generation 41,
// whatever became of weir. Confirming replaces the catch-all and deletes them, in one transaction.

/// A generation that packets are judged by until the kernel itself falls back.
public struct RunningTrial: Hashable, Sendable {
  /// The generation on trial.
  public var generation: Int
  /// Milliseconds that it was given.
  public var timeoutMilliseconds: UInt64
  /// Milliseconds until its first element expires, counted from reading.
  public var remainingMilliseconds: UInt64
}

extension SetElement {
  /// Whether a trial put it into a generation map.
  var isOnTrial: Bool { !isCatchAll && timeoutMilliseconds != nil }

  /// One element a family that leads into a generation until it expires.
  static func trial(
    _ verdict: Verdict, timeoutMilliseconds: UInt64
  ) -> [SetElement] {
    Family.allCases.map {
      SetElement(
        key: [$0.rawValue], verdict: verdict, timeoutMilliseconds: timeoutMilliseconds)
    }
  }
}

extension NamedSet {
  /// The elements of a generation map; none for another set.
  fileprivate var mapElements: [SetElement] {
    guard GenerationName.isGenerationMap(name), case .elements(let elements) = content else {
      return []
    }
    return elements
  }

  /// Where a generation map leads for a generation: `generation/out` to `g42/out`.
  func entry(of generation: Int) -> Verdict {
    .goto("g\(generation)/\(name.split(separator: "/").last ?? "")")
  }
}

extension Table {
  /// The trial that runs; nil for none.
  ///
  /// Its elements are in every generation map, one a family, and lead into one generation. Anything
  /// else that expires there is no trial but a difference.
  var runningTrial: RunningTrial? {
    let maps = sets.filter { GenerationName.isGenerationMap($0.name) }
    var found: RunningTrial?
    for map in maps {
      let timed = map.mapElements.filter(\.isOnTrial)
      guard let chain = timed.first?.verdict?.chain,
        let generation = GenerationName.generation(of: chain),
        Set(timed.map(\.key)) == Set(Family.allCases.map { [$0.rawValue] }),
        timed.allSatisfy({ $0.verdict == map.entry(of: generation) }),
        found == nil || found?.generation == generation
      else { return nil }
      let left = timed.map { $0.expirationMilliseconds ?? 0 }.min() ?? 0
      found = RunningTrial(
        generation: generation, timeoutMilliseconds: timed[0].timeoutMilliseconds ?? 0,
        remainingMilliseconds: min(left, found?.remainingMilliseconds ?? left))
    }
    return found
  }

  /// The table as it is when a trial has ended unconfirmed.
  var withoutTrial: Table { changingMaps { map in map.mapElements.filter { !$0.isOnTrial } } }

  /// The table as it would be without a trial: with the one that runs confirmed.
  var settled: Table {
    guard let trial = runningTrial else { return self }
    return changingMaps { map in
      map.mapElements.filter { !$0.isOnTrial && !$0.isCatchAll }
        + [.catchAll(map.entry(of: trial.generation))]
    }
  }

  /// The table with a generation of it on trial above what stands.
  ///
  /// Where the base chains of `live`, what the kernel holds now, judge packets, what its catch-all
  /// elements say is what the kernel falls back to; otherwise that is to let all pass.
  func onTrial(
    _ generation: Int, over live: Table?, timeoutMilliseconds: UInt64
  ) -> Table {
    let standing = live.map { $0.isHooked ? $0.sets : [] } ?? []
    return changingMaps { map in
      let catchAll =
        standing.first { $0.name == map.name }?.mapElements.filter(\.isCatchAll)
        .map(\.withoutState) ?? [.catchAll(.accept)]
      return SetElement.trial(
        map.entry(of: generation), timeoutMilliseconds: timeoutMilliseconds) + catchAll
    }
  }

  /// The generations that packets can reach, now or after a trial.
  var generationsInUse: Set<Int> {
    Set([runningTrial?.generation, standingGeneration].compactMap(\.self))
  }

  private func changingMaps(_ elements: (NamedSet) -> [SetElement]) -> Table {
    var table = self
    for index in table.sets.indices where GenerationName.isGenerationMap(sets[index].name) {
      table.sets[index].content = .elements(elements(sets[index]))
    }
    return table
  }
}
