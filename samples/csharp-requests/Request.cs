using System.Buffers;
using System.Text;
using PrivateHeaps;

namespace Requests;

/// <summary>A request that builds a list of lines in memory, as a query would, and sends them.</summary>
internal sealed class Request(string name, int lines)
{
    public string Name => name;

    /// <summary>Builds the lines in the heap. Frees nothing: the heap's owner drops all at once.</summary>
    public unsafe int Serve(PrivateHeap heap)
    {
        Node* first = null;
        for (int number = 0; number < lines; number++)
        {
            string text = $"line {number} of {name}";
            Node* node = (Node*)heap.Alloc((nuint)(sizeof(Node) + text.Length));
            *node = new Node { Next = first, Length = text.Length };
            Encoding.ASCII.GetBytes(text, new Span<byte>(node + 1, text.Length));
            first = node;
        }

        return Render(heap, first);
    }

    // Memory that any .NET code can use comes from the same heap.
    private static unsafe int Render(PrivateHeap heap, Node* first)
    {
        using IMemoryOwner<byte> page = heap.Rent<byte>(4096);
        using Stream response = Stream.Null;
        int sent = 0;
        for (Node* node = first; node != null; node = node->Next)
        {
            new ReadOnlySpan<byte>(node + 1, node->Length).CopyTo(page.Memory.Span);
            response.Write(page.Memory.Span[..node->Length]);
            sent += node->Length;
        }

        return sent;
    }

    /// <summary>One line; its characters follow it in the same block.</summary>
    private unsafe struct Node
    {
        public Node* Next;
        public int Length;
    }
}
