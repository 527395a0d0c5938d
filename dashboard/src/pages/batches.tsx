/** Every batch, and the ways to start one or to make another. */
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { batchesQuery, meQuery } from '../api/queries';
import { may } from '../api/roles';
import { Icon } from '../parts/icon';
import { Empty, Loading, Problem } from '../parts/telling';
import { Ago } from '../parts/time';
import { Search } from '../runs/filters';

const route = getRouteApi('/batches');

export function Batches() {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useInfiniteQuery(batchesQuery(q));
  const me = useQuery(meQuery);
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const author = may(me.data, 'author');
  return (
    <>
      <div className="pagehead">
        <div><h1>Batches</h1><p className="sub">What can be run: named, versioned lists of steps</p></div>
        {author && <Button size="sm" component={Link} to="/batches/new" leftSection={<Icon name="plus" size={14} />}>New batch</Button>}
      </div>
      <div className="filters"><Search value={q} set={(said) => void navigate({ search: said === '' ? {} : { q: said }, replace: true })} placeholder="Name, title, description or label" /></div>
      {list.error !== null && <Problem error={list.error} />}
      {list.data === undefined ? (
        list.error === null && <Loading />
      ) : (
        <div className="panel">
          {rows.length === 0 ? (
            <Empty icon="stack2" title={q === '' ? 'There is no batch yet' : 'No batch is called that'}>
              <p>{q === '' ? 'A batch comes from code (SLUICE_JOBS), or is made here as JSON.' : 'Look for another name.'}</p>
              {author && q === '' && <Link to="/batches/new" className="link">Make the first one</Link>}
            </Empty>
          ) : (
            <div className="tablewrap" tabIndex={0} role="region" aria-label="Batches">
              <table className="simple">
                <thead><tr><th>Batch</th><th className="right wide-only">Steps</th><th className="wide-only">Version</th><th className="wide-only">Schedule</th><th className="wide-only">Changed</th><th><span className="visually-hidden">Actions</span></th></tr></thead>
                <tbody>
                  {rows.map(({ id, name, title, description, stepCount, version, source, schedule, updatedAt, updatedBy, labels }) => (
                    <tr key={id} className="linked">
                      <td style={{ minWidth: 180, maxWidth: 560 }}>
                        <Link to="/batches/$batch" params={{ batch: name }} className="cover">{title ?? name}</Link> {title !== null && <span className="dim mono tiny">{name}</span>}
                        {description !== null && <div className="dim small ellipsis">{description}</div>}
                        <div className="row wrap" style={{ gap: 4, marginTop: 3 }}>{Object.entries(labels).map(([key, value]) => <span key={key} className="tag">{key}: {value}</span>)}</div>
                      </td>
                      <td className="right num wide-only">{stepCount}</td>
                      <td className="nowrap wide-only"><span className="num">v{version}</span> <span className="tag"><Icon name={source === 'code' ? 'code' : 'edit'} size={12} />{source === 'code' ? 'code' : 'made here'}</span></td>
                      <td className="nowrap wide-only">{schedule === null ? <span className="dim">none</span> : <Link to="/schedules" search={{ batch: name }} className="link above mono tiny">{schedule.cron}</Link>}</td>
                      <td className="nowrap wide-only"><Ago at={updatedAt} /> <span className="dim">by {updatedBy}</span></td>
                      <td className="right">{may(me.data, 'operator') && <Button className="above" variant="default" component={Link} to={`/batches/${name}?start=true`} leftSection={<Icon name="playerPlay" size={14} />}>Start</Button>}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {list.hasNextPage && <div style={{ padding: 12, textAlign: 'center' }}><Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>More batches</Button></div>}
        </div>
      )}
    </>
  );
}
