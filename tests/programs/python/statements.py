"""Writes some 8,000 SQL statements that make, change, join and check tables."""
print("pragma journal_mode = memory; begin;")
print("create table writer (id integer primary key, name text unique);")
print("create table book (id integer primary key, writer integer references writer, title text, pages integer, text blob);")
print("create index by_writer on book (writer, title);")
print("create trigger counted after insert on book begin update writer set name = name || '' where id = new.writer; end;")
for i in range(500):
    print(f"insert into writer values ({i}, 'writer {i * 7919 % 1009} {i}');")
for i in range(5_000):
    print(f"insert into book values ({i}, {i * 31 % 500}, 'title {i * 104_729 % 7_919}', {i % 900}, zeroblob({i % 1_500}));")
print("commit;")
for i in range(0, 2_000, 2):
    print(f"update book set title = title || ' again', text = zeroblob({i * 3 % 4_000}) where id = {i};")
for i in range(0, 5_000, 11):
    print(f"delete from book where id = {i};")
for i in range(500):
    print(f"select w.name, count(*), sum(b.pages), group_concat(b.title, ';') from writer w join book b on b.writer = w.id where w.id = {i} group by w.id;")
print("with recursive n (i) as (select 1 union all select i + 1 from n where i < 50000) select count(*), sum(i), max(printf('%08d', i)) from n;")
print("select substr(title, 1, 8) as t, count(*), avg(pages) from book group by t order by 2 desc, 1 limit 20;")
print("vacuum;")
print("pragma integrity_check;")
