"""Makes the tables of a log."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)


TABLES = """
create table runs (
    number bigint generated always as identity,
    id text collate "C" not null,
    record text collate "C" not null,
    deliveries integer default '0' not null,
    verdicts text collate "C" default '' not null,
    outcomes text collate "C" default '' not null,
    judges text collate "C" default '' not null,
    size bigint default '0' not null,
    pinned boolean default 'false' not null,
    primary key (number),
    unique (id)
);

create table state (
    identity text collate "C" not null,
    lookups bigint
);

create table deliveries (
    position bigint generated always as identity,
    run bigint not null,
    added xid8 default pg_current_xact_id() not null,
    changed xid8 default pg_current_xact_id() not null,
    record text collate "C" not null,
    sort bigint,
    status_class text collate "C",
    unedited_fixture text collate "C",
    sent_at text collate "C",
    id text collate "C",
    action text collate "C",
    edition text collate "C",
    receiver text collate "C",
    stand_in boolean,
    scenario text collate "C",
    step text collate "C",
    fixture text collate "C",
    number integer,
    attempt integer,
    parent text collate "C",
    dropped boolean,
    status smallint,
    fault text collate "C",
    total_ms double precision,
    orders text collate "C",
    subjects integer,
    codes text collate "C",
    events integer,
    off_contract boolean,
    breaks_contract boolean,
    verdict text collate "C",
    first_verdict text collate "C",
    differences integer,
    primary key (position),
    foreign key (run) references runs (number) on delete cascade
);
create index deliveries_by_action on deliveries (action, sort);
create index deliveries_by_case on deliveries (receiver, action, edition, scenario, unedited_fixture, sort);
create index deliveries_by_edition on deliveries (edition, sort);
create index deliveries_by_fault on deliveries (fault, sort) where fault > '';
create unique index deliveries_by_id on deliveries (id);
create index deliveries_by_parent on deliveries (parent, sort) where parent > '';
create index deliveries_by_receiver on deliveries (receiver, sort);
create index deliveries_by_run on deliveries (run, sort);
create index deliveries_by_scenario on deliveries (scenario, sort);
create index deliveries_by_status on deliveries (status, sort);
create index deliveries_by_status_class on deliveries (status_class, sort);
create index deliveries_by_unedited_fixture on deliveries (unedited_fixture, sort);
create index deliveries_by_verdict on deliveries (verdict, sort);
create index deliveries_in_order on deliveries (sort);
create index deliveries_with_fault on deliveries (sort) where fault > '';
create index ix_deliveries_changed on deliveries (changed);

create unlogged table in_flight (
    id text collate "C" not null,
    run bigint not null,
    row text collate "C" not null,
    primary key (id),
    foreign key (run) references runs (number) on delete cascade
);
create index ix_in_flight_run on in_flight (run);

create table judgements (
    position bigint generated always as identity,
    run bigint not null,
    number integer not null,
    delivery text collate "C" not null,
    at text collate "C" not null,
    verdict text collate "C" not null,
    differences integer not null,
    record text collate "C" not null,
    primary key (position),
    foreign key (run) references runs (number) on delete cascade
);
create index ix_judgements_delivery on judgements (delivery);
create unique index judgements_in_run on judgements (run, number);

create table results (
    position bigint generated always as identity,
    run bigint not null,
    number integer not null,
    scenario text collate "C" not null,
    sort bigint not null,
    verdict text collate "C" not null,
    record text collate "C" not null,
    primary key (position),
    foreign key (run) references runs (number) on delete cascade
);
create index results_by_scenario on results (scenario, sort);
create unique index results_in_run on results (run, number);

create table codes (
    value text collate "C" not null,
    sort bigint not null,
    delivery bigint not null,
    primary key (value, sort, delivery),
    foreign key (delivery) references deliveries (position) on delete cascade
);
create index ix_codes_delivery on codes (delivery);

create table orders (
    value text collate "C" not null,
    sort bigint not null,
    delivery bigint not null,
    primary key (value, sort, delivery),
    foreign key (delivery) references deliveries (position) on delete cascade
);
create index ix_orders_delivery on orders (delivery);
insert into state (identity) values (gen_random_uuid()::text)
"""
