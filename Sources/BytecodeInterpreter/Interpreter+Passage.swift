import Bytecode
import NetworkTypes

extension Interpreter {
  /// How many ways through what is unknown are walked before the answer is "cannot decide".
  private static var wayLimit: Int { 256 }

  /// What becomes of a packet on its whole path, with every rule it visits.
  ///
  /// Where something is not stated, every possibility is walked: if they agree, that is the answer,
  /// otherwise ``Fate/cannotDecide(_:)`` names what they depend on.
  ///
  /// Example:
  /// ```
  /// let passage = interpreter.passage(of: packet, path: .output)
  /// if case .passes(let leaving) = passage.fate { print(leaving.bytes) }
  /// ```
  ///
  /// - Parameters:
  ///   - packet: as it enters the first hook; its conntrack facts are what conntrack will find. Its
  ///     interfaces are those of the path: the input interface where it comes in, the output
  ///     interface that the first routing chose.
  ///   - path: the hooks.
  ///   - surroundings: what else is known.
  /// - Returns: the fate and the trace.
  public func passage(
    of packet: PacketContext, path: Path, in surroundings: Surroundings = Surroundings()
  ) -> Passage {
    guard PacketHeaders(packet.bytes.span, packet.family, program.kernel) != nil else {
      let obstacle = Obstacle(reason: "the bytes are no \(packet.family) packet")
      return Passage(fate: .cannotDecide([obstacle]), trace: [], isOnlyWay: false, copies: [])
    }
    if program.obstacle >= 0 {
      let obstacle = Obstacle(reason: program.reasons[Int(program.obstacle)].text)
      return Passage(fate: .cannotDecide([obstacle]), trace: [], isOnlyWay: false, copies: [])
    }
    var choices = Choices()
    var agreed: Passage?
    for _ in 0..<Self.wayLimit {
      let rare = RareState(surroundings, choices)
      var walk = PathWalk(self, packet, path, rare)
      let end = walk.walk()
      choices = rare.choices
      if case .undecided(let point) = end { choices.note(point) }
      let fate = fate(end, walk, choices)
      var passage = agreed ?? passage(walk, fate)
      guard let common = passage.fate.agreement(with: fate) else {
        passage.fate = .cannotDecide(obstacles(choices))
        return passage
      }
      passage.fate = common
      passage.isOnlyWay = choices.points.isEmpty
      agreed = passage
      if case .undecided = end { return passage }
      if !choices.advance() { return passage }
    }
    choices.note(.packet("more than \(Self.wayLimit) ways through what is not known"))
    return Passage(
      fate: .cannotDecide(obstacles(choices)), trace: agreed?.trace ?? [], isOnlyWay: false,
      copies: agreed?.copies ?? [])
  }

  private func fate(
    _ end: PathWalk.End, _ walk: borrowing PathWalk, _ choices: Choices
  ) -> Fate {
    switch end {
    case .passed:
      .passes(
        PassedPacket(
          bytes: walk.state.bytes, mark: walk.state.mark, outputInterface: walk.departure,
          isTranslated: walk.rare.isTranslated))
    case .dropped: .dropped
    case .rejected(let reject): .rejected(reject)
    case .queued: .queued
    case .stolen: .stolen
    case .undecided: .cannotDecide(obstacles(choices))
    }
  }

  private func passage(_ walk: borrowing PathWalk, _ fate: Fate) -> Passage {
    var steps: [VisitedRule] = []
    let raw = walk.trace ?? []
    for (number, mark) in walk.hooks.enumerated() {
      let end = number + 1 < walk.hooks.count ? walk.hooks[number + 1].start : raw.count
      steps += raw[mark.start..<end].map { visited($0, mark.hook) }
    }
    return Passage(
      fate: fate, trace: steps, isOnlyWay: false,
      copies: walk.rare.copyPoints.map {
        place(rule: program.rule(of: program.places[Int($0)].instruction))
      })
  }

  private func visited(_ raw: RawStep, _ hook: Hook) -> VisitedRule {
    guard raw.rule >= 0 else {
      let policy: Verdict = program.chains[Int(raw.chain)].isPolicyDrop ? .drop : .accept
      return VisitedRule(
        hook: hook, place: place(chain: raw.chain), comment: nil, result: .policy(policy))
    }
    let place = place(rule: raw.rule)
    let source = sourceRule(raw.rule)
    let result: VisitedRule.Result =
      switch raw.verdict {
      case -1: .verdict(.continue)
      case -2: .reject(program.rejects[Int(raw.instruction)])
      case -3: .broke(expression: Int(program.expressionNumbers[Int(raw.instruction)]))
      case Ending.accept.rawValue: .verdict(.accept)
      case Ending.drop.rawValue: .verdict(.drop)
      case Ending.queue.rawValue: .queue
      case Ending.stolen.rawValue: .stolen
      default: .verdict(program.verdictValues[Int(raw.verdict)])
      }
    return VisitedRule(hook: hook, place: place, comment: source.comment, result: result)
  }

  /// Whether a base chain is on a device; names may end with a star.
  func sees(_ entry: Program.Entry, _ device: String) -> Bool {
    let chain = program.chains[Int(entry.chain)]
    let devices = ruleset.tables[Int(chain.table)].chains[Int(chain.chain)].hook?.devices ?? []
    return devices.contains { name in
      name == device || (name.last == "*" && device.hasPrefix(name.dropLast()))
    }
  }

  // MARK: Places

  func sourceRule(_ number: Int32) -> Rule {
    let chain = program.chains[Int(program.rules[Int(number)].chain)]
    return ruleset.tables[Int(chain.table)].chains[Int(chain.chain)].rules[
      Int(number - chain.firstRule)]
  }

  func place(chain number: Int32) -> RulePlace {
    let chain = program.chains[Int(number)]
    let table = ruleset.tables[Int(chain.table)]
    return RulePlace(
      family: table.family, table: table.name, chain: table.chains[Int(chain.chain)].name)
  }

  func place(rule number: Int32) -> RulePlace {
    let chain = program.rules[Int(number)].chain
    var place = place(chain: chain)
    place.ruleIndex = Int(number - program.chains[Int(chain)].firstRule)
    place.handle = sourceRule(number).handle
    return place
  }

  private func obstacles(_ choices: Choices) -> [Obstacle] { choices.points.map(obstacle) }

  private func obstacle(_ point: Choices.Point) -> Obstacle {
    switch point {
    case .packet(let reason): return Obstacle(reason: reason)
    case .chain(let number, let reason):
      return Obstacle(place: place(chain: number), reason: program.reasons[Int(reason)].detail)
    case .instruction(let number, let missing):
      let instruction = program.code[Int(number)]
      let rule = program.rule(of: number)
      let expression = sourceRule(rule).expressions[Int(program.expressionNumbers[Int(number)])]
      return Obstacle(
        place: place(rule: rule), expression: expression.listing,
        reason: missing ?? program.lack(of: instruction))
    }
  }

  /// What keeps a rule from being decided.
  func obstacle(instruction: Int32) -> Obstacle {
    obstacle(.instruction(instruction, missing: nil))
  }
}

extension Program {
  /// The rule of an instruction.
  func rule(of instruction: Int32) -> Int32 {
    var low = 0
    var high = rules.count - 1
    while low < high {
      let middle = (low + high) / 2
      if rules[middle].end > instruction { high = middle } else { low = middle + 1 }
    }
    return Int32(low)
  }
}

extension Fate {
  /// What two ways have in common; nil when the packet fares differently.
  fileprivate func agreement(with other: Fate) -> Fate? {
    if self == other { return self }
    switch (self, other) {
    case (.dropped, .rejected), (.rejected, .dropped), (.rejected, .rejected): return .dropped
    case (.passes(var mine), .passes(let others)):
      guard mine.bytes == others.bytes else { return nil }
      if mine.mark != others.mark { mine.mark = .unknown }
      if mine.outputInterface != others.outputInterface { mine.outputInterface = .unknown }
      mine.isTranslated = mine.isTranslated || others.isTranslated
      return .passes(mine)
    default: return nil
    }
  }
}
