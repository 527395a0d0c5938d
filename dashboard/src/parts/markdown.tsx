/** Text of people as Markdown. HTML in it is shown as text; links go nowhere by themselves. */
import ReactMarkdown from 'react-markdown';

export default function Markdown({ text }: { readonly text: string }) {
  return (
    <div className="markdown">
      <ReactMarkdown disallowedElements={['img']} components={{ a: ({ href, children }) => <a href={href} rel="noreferrer noopener" target="_blank">{children}</a> }}>{text}</ReactMarkdown>
    </div>
  );
}
