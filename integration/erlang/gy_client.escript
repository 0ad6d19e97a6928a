#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 2
%%
%% A switch on the Diameter stack of Erlang/OTP: capabilities exchange, then many calls at once, each I, U, U, T, each update sent a
%% second time with the T bit, then disconnect. It prints a line for each call: its MSISDN, the seconds that it reported, and the
%% first fault, or ok. The stack decodes strictly, by gy.dia.
%%
%%   escript gy_client.escript gy.dia WORKDIR HOST PORT REALM MSISDN...

-module(gy_client).
-mode(compile).
-include_lib("diameter/include/diameter.hrl").

-export([main/1]).
-export([peer_up/3, peer_down/3, pick_peer/4, prepare_request/3, prepare_retransmit/3, handle_answer/4, handle_error/4,
         handle_request/3]).

-define(HOST, "erlang.epc.test").
-define(REALM, "epc.test").

main([Dia, Dir, Host, Port, Realm | Numbers]) ->
    load_dictionary(Dia, Dir),
    ok = diameter:start(),
    ok = diameter:start_service(gy_service, [
        {'Origin-Host', ?HOST},
        {'Origin-Realm', ?REALM},
        {'Host-IP-Address', [{127, 0, 0, 1}]},
        {'Vendor-Id', 0},
        {'Product-Name', "Erlang/OTP diameter"},
        {'Origin-State-Id', 1},
        {'Supported-Vendor-Id', [10415]},
        {'Auth-Application-Id', [4]},
        {decode_format, map},
        {application, [{alias, gy}, {dictionary, gy}, {module, ?MODULE}, {answer_errors, callback}]}
    ]),
    true = diameter:subscribe(gy_service),
    {ok, Address} = inet:parse_address(Host),
    {ok, Transport} = diameter:add_transport(gy_service, {connect, [
        {transport_module, diameter_tcp},
        {transport_config, [{raddr, Address}, {rport, list_to_integer(Port)}, {reuseaddr, true}]},
        {strict_capx, true},
        {disconnect_timeout, 5000}
    ]}),
    await_up(),
    Self = self(),
    Pids = [spawn_link(fun() -> Self ! {self(), place(Number, Realm)} end) || Number <- Numbers],
    [receive {Pid, {Number, Seconds, Result}} -> io:format("~s ~b ~s~n", [Number, Seconds, Result]) end
     || Pid <- Pids],
    ok = diameter:remove_transport(gy_service, Transport), % sends a DPR
    io:format("disconnect ~s~n", [await_down()]),
    halt(0).

load_dictionary(Dia, Dir) ->
    ok = diameter_make:codec(Dia, [{outdir, Dir}]),
    {ok, gy, Binary} = compile:file(filename:join(Dir, "gy"), [binary, return_errors, {i, Dir}]),
    {module, gy} = code:load_binary(gy, "gy.erl", Binary).

await_up() ->
    receive
        #diameter_event{info = Info} when element(1, Info) =:= up -> ok;
        #diameter_event{info = {closed, _, Reason, _}} -> die("connection refused: ~p", [Reason])
    after 20000 ->
        die("no connection within 20 s", [])
    end.

await_down() ->
    receive
        #diameter_event{info = Info} when element(1, Info) =:= down -> ok
    after 20000 ->
        "without an end"
    end.

die(Format, Args) ->
    io:format(standard_error, Format ++ "~n", Args),
    halt(1).

%% A call reports between 1 and 60 seconds with each update and with its end.
place(Number, Realm) ->
    Session = diameter:session_id(?HOST),
    Seconds = [rand:uniform(60) || _ <- [1, 2, 3]],
    [First, Second, Last] = Seconds,
    Steps = [
        {ccr(Session, Realm, Number, 1, 0, #{'Requested-Service-Unit' => #{'CC-Time' => 60}}), granted},
        {ccr(Session, Realm, Number, 2, 1, used(First, #{'Requested-Service-Unit' => #{'CC-Time' => 60}})), granted},
        {ccr(Session, Realm, Number, 2, 2, used(Second, #{'Requested-Service-Unit' => #{}})), granted},
        {ccr(Session, Realm, Number, 3, 3, used(Last, #{})), ended}
    ],
    {Number, lists:sum(Seconds), run(Steps)}.

run([]) ->
    "ok";
run([{Request, Expected} | Rest]) ->
    EndToEnd = rand:uniform(16#ffffffff),
    First = call(Request, EndToEnd, false),
    Again = call(Request, EndToEnd, true),
    case check(Expected, First) of
        ok when First =:= Again -> run(Rest);
        ok -> flat("the copy was answered ~p, the first ~p", [Again, First]);
        Fault -> Fault
    end.

call(Request, EndToEnd, Again) ->
    Packet = #diameter_packet{header = #diameter_header{end_to_end_id = EndToEnd, is_retransmitted = Again}, msg = Request},
    diameter:call(gy_service, gy, Packet, [{timeout, 20000}]).

check(Expected, {ok, ['CCA' | #{'Result-Code' := 2001} = Answer]}) ->
    case {Expected, Answer} of
        {granted, #{'Multiple-Services-Credit-Control' := [#{'Result-Code' := [2001], 'Rating-Group' := [100],
                                                             'Granted-Service-Unit' := [#{'CC-Time' := [60]}],
                                                             'Validity-Time' := [_]}]}} -> ok;
        {ended, #{'Multiple-Services-Credit-Control' := _}} -> flat("quota at the end: ~p", [Answer]);
        {ended, _} -> ok;
        _ -> flat("answer ~p", [Answer])
    end;
check(_, Other) ->
    flat("answer ~p", [Other]).

flat(Format, Args) ->
    re:replace(io_lib:format(Format, Args), "\\s+", " ", [global, {return, list}]).

used(Seconds, Wanted) ->
    Wanted#{'Used-Service-Unit' => [#{'CC-Time' => Seconds}]}.

ccr(Session, Realm, Number, Type, N, Units) ->
    ['CCR' | #{
        'Session-Id' => Session,
        'Origin-Host' => ?HOST,
        'Origin-Realm' => ?REALM,
        'Destination-Realm' => Realm,
        'Auth-Application-Id' => 4,
        'Service-Context-Id' => "15.32260@3gpp.org",
        'CC-Request-Type' => Type,
        'CC-Request-Number' => N,
        'Event-Timestamp' => [calendar:universal_time()],
        'Subscription-Id' => [#{'Subscription-Id-Type' => 0, 'Subscription-Id-Data' => Number}],
        'Multiple-Services-Indicator' => [1],
        'Multiple-Services-Credit-Control' => [Units#{'Rating-Group' => 100}],
        'Service-Information' => [#{'IMS-Information' => [#{
            'Role-Of-Node' => [0], 'Node-Functionality' => 6, 'Called-Party-Address' => ["tel:+4930123456"]
        }]}]
    }].

%% The callbacks of the stack.

peer_up(_Service, _Peer, State) -> State.

peer_down(_Service, _Peer, State) -> State.

pick_peer([Peer | _], _, _Service, _State) -> {ok, Peer};
pick_peer([], _, _Service, _State) -> false.

prepare_request(Packet, _Service, _Peer) -> {send, Packet}.

prepare_retransmit(Packet, _Service, _Peer) -> {send, Packet}.

handle_answer(#diameter_packet{msg = Message, errors = []}, _Request, _Service, _Peer) -> {ok, Message};
handle_answer(#diameter_packet{msg = Message, errors = Errors}, _Request, _Service, _Peer) -> {faulty, Errors, Message}.

handle_error(Reason, _Request, _Service, _Peer) -> {error, Reason}.

handle_request(_Packet, _Service, _Peer) -> {answer_message, 3001}.
