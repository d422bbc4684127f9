import HostFacts

extension HostState {
  /// Walks through the processes and gives every socket and tun device its owners.
  mutating func readProcesses() {
    let walk: ProcessWalk
    do throws(LinuxError) {
      walk = try ProcessWalk(own: namespace.value)
    } catch {
      processes = .unknown(error.reason)
      namespaces = .unknown(error.reason)
      unlistedSockets = .unknown(error.reason)
      return
    }
    processes = .known(walk.survey)
    namespaces = HostReading.fact {
      guard let own = namespace.value else { throw LinuxError.machinesOwnNamespace }
      return try NamespaceReading.others(walk, own: own)
    }
    takeSocketOwners(from: walk)
    packetSockets = packetSockets.map { list in
      list.map { socket in
        var socket = socket
        socket.owners = walk.owners(socket.inode)
        return socket
      }
    }
    unixListeners = unixListeners.map { list in
      list.map { listener in
        var listener = listener
        listener.owners = walk.owners(listener.inode)
        return listener
      }
    }
    links = links.map { list in
      list.map { link in
        var link = link
        link.tun?.processes = walk.holders(of: link.name)
        return link
      }
    }
    readUnlistedXDPSockets(walk)
    unlistedSockets = .known(
      walk.unlisted.values.filter { $0.protocolName != "XDP" }
        .sorted { ($0.protocolName, $0.inode) < ($1.protocolName, $1.inode) })
  }

  /// Walks through the processes and gives every socket of the tables its owners, no more.
  mutating func readSocketOwners() {
    do throws(LinuxError) {
      takeSocketOwners(from: try ProcessWalk(own: nil))
    } catch {
      // The owners stay unknown.
    }
  }

  private mutating func takeSocketOwners(from walk: ProcessWalk) {
    for index in sockets.indices {
      sockets[index].sockets = sockets[index].sockets.map { list in
        list.map { socket in
          var socket = socket
          socket.owners = walk.owners(socket.inode)
          return socket
        }
      }
    }
  }

  /// Takes the AF_XDP sockets that the walk found where the kernel only counts them.
  private mutating func readUnlistedXDPSockets(_ walk: ProcessWalk) {
    if let listed = xdpSockets.value {
      xdpSockets = .known(
        listed.map { XDPSocket(inode: $0.inode, link: $0.link, owners: walk.owners($0.inode)) })
      return
    }
    let found = walk.unlisted.values.filter { $0.protocolName == "XDP" && $0.isHere == true }
      .sorted { $0.inode < $1.inode }
    let holders = Set(found.map(\.owners).joined()).sorted()
    if let count = socketCounts.value?.first(where: { $0.name == "XDP" })?.count {
      if count == found.count {
        xdpSockets = .known(
          found.map { XDPSocket(inode: $0.inode, owners: .known($0.owners.sorted())) })
      } else if !found.isEmpty {
        let names = holders.map { "\($0.name) (\($0.pid))" }.joined(separator: ", ")
        xdpSockets = .unknown(
          "\(count) XDP sockets, of which \(found.count) were found, with \(names)")
      }
    }
  }
}

extension ProcessWalk {
  /// The processes that hold a tun device of that name.
  ///
  /// Names are not unique across namespaces, so that this may name one too many.
  func holders(of name: String) -> Fact<[HostProcess]> {
    if let holders = tunHolders[name] { return .known(holders.sorted()) }
    if survey.unreadableCount > 0 {
      return .unknown("\(survey.unreadableCount) processes do not show their open files")
    }
    return .known([])
  }
}
